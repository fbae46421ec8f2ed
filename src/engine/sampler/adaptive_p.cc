#include <algorithm>
#include <cmath>

#include "engine/sampler/steps.h"

namespace rf {
namespace {

// The shape that ggml-org/llama.cpp pull request 17927 chose: a peak at the target with wide, flat ends.
constexpr double kWidth = 0.3;
constexpr double kPeak = 5.0;
constexpr double kSharpness = 10.0;

// The target for the next token: as far on the other side of the wish as the past was on this one.
double AdaptedTarget(const SamplingContext& context) {
  const SamplingMemory& memory = context.memory;
  const double target = context.params.adaptive_target;
  if (memory.adaptive_weight <= 0.0) return std::clamp(target, 0.0, 1.0);
  return std::clamp(2.0 * target - memory.adaptive_sum / memory.adaptive_weight, 0.0, 1.0);
}

}  // namespace

size_t DrawAdaptive(const SamplingContext& context, const Candidates& candidates) {
  const std::vector<float> weights = Weights(candidates.items);
  const double total = Sum(weights);
  const double target = AdaptedTarget(context);
  Candidates bent = candidates;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double distance = std::abs(weights[i] / total - target) / kWidth;
    bent.items[i].logit = static_cast<float>(kPeak - kSharpness * distance * distance / (1.0 + distance));
  }
  const size_t drawn = Draw(context, bent);
  SamplingMemory& memory = context.memory;
  const double decay = context.params.adaptive_decay;
  memory.adaptive_sum = weights[drawn] / total + decay * memory.adaptive_sum;
  memory.adaptive_weight = 1.0 + decay * memory.adaptive_weight;
  return drawn;
}

}  // namespace rf
