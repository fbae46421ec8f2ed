#include <cmath>
#include <optional>

#include "engine/sampler/steps.h"

namespace rf {

// "Exclude top choices" (p-e-w 2024, oobabooga/text-generation-webui pull request 6335): with the given probability, of
// the tokens that reach the threshold only the least likely one stays.
void ApplyXtc(const SamplingContext& context, Candidates& candidates) {
  const SamplingParams& params = context.params;
  // Above a half no two tokens can reach the threshold.
  if (params.xtc_probability <= 0.0f || params.xtc_threshold > 0.5f) return;
  if (context.Uniform() >= params.xtc_probability) return;
  const std::span<const float> weights = candidates.Weights();
  const double least = params.xtc_threshold * Sum(weights);
  constexpr double kMargin = 1e-3;  // for rounding; the weights decide
  std::optional<size_t> worst;
  candidates.ForEachAtLeast(candidates.LogitAt(std::log2(least) - kMargin), [&](size_t i) {
    const std::span<const float> logits = candidates.logits();
    if (weights[i] >= least && (!worst || logits[i] <= logits[*worst])) worst = i;
  });
  if (worst) candidates.DropBetter(*worst);
}

}  // namespace rf
