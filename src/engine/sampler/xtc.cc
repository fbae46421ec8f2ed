#include "engine/sampler/steps.h"

namespace rf {

// "Exclude top choices" (p-e-w 2024, oobabooga/text-generation-webui pull request 6335): with the given probability, of
// the tokens that reach the threshold only the least likely one stays.
void ApplyXtc(const SamplingContext& context, Candidates& candidates) {
  const SamplingParams& params = context.params;
  // Above a half no two tokens can reach the threshold.
  if (params.xtc_probability <= 0.0f || params.xtc_threshold > 0.5f) return;
  if (context.Uniform() >= params.xtc_probability) return;
  std::vector<Candidate>& items = candidates.items;
  const std::vector<float> weights = Weights(items);
  const double least = params.xtc_threshold * Sum(weights);
  const Candidate* worst = nullptr;
  for (size_t i = 0; i < items.size(); ++i) {
    if (weights[i] >= least && (worst == nullptr || IsBetter(*worst, items[i]))) worst = &items[i];
  }
  if (worst == nullptr) return;
  std::erase_if(items, [last = *worst](const Candidate& candidate) { return IsBetter(candidate, last); });
}

}  // namespace rf
