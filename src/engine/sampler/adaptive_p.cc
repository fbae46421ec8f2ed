#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/fast_exp2.h"
#include "engine/sampler/steps.h"
#include "engine/sampler/widest.h"

namespace rf {
namespace {

// The shape that ggml-org/llama.cpp pull request 17927 chose: a peak at the target with wide, flat ends.
constexpr float kWidth = 0.3f;
constexpr float kSharpness = 10.0f;

// The target for the next token: as far on the other side of the wish as the past was on this one.
double AdaptedTarget(const SamplingContext& context) {
  const SamplingMemory& memory = context.memory;
  const double target = context.params.adaptive_target;
  if (memory.adaptive_weight <= 0.0) return std::clamp(target, 0.0, 1.0);
  return std::clamp(2.0 * target - memory.adaptive_sum / memory.adaptive_weight, 0.0, 1.0);
}

// exponents[i]: of the weight that a candidate of that weight gets, 0 at the target.
[[gnu::always_inline]] inline void BendPart(std::span<const float> weights, std::span<const float> logits,
                                            float per_weight, float target, float* exponents) {
  for (size_t i = 0; i < weights.size(); ++i) {
    const float distance = std::abs(weights[i] * per_weight - target);
    const float nothing = logits[i] - logits[i];  // NaN for what is no candidate: no weight
    exponents[i] = nothing - kSharpness * distance * distance / (1.0f + distance);
  }
}

void Bend(double target, double total, Candidates& candidates) {
  const std::span<float> weights = candidates.Weights();
  float exponents[kPart];
  for (size_t begin = 0; begin < weights.size(); begin += kPart) {
    const std::span<float> part = weights.subspan(begin, std::min(kPart, weights.size() - begin));
    WithWidestVectors<BendPart>(std::span<const float>(part), candidates.logits().subspan(begin, part.size()),
                                static_cast<float>(1.0 / (total * kWidth)), static_cast<float>(target / kWidth),
                                &exponents[0]);
    ComputeWeights(std::span(exponents, part.size()), {.reference = 0.0f, .factor = std::numbers::log2e_v<float>},
                   part);
  }
}

}  // namespace

size_t DrawAdaptive(const SamplingContext& context, Candidates& candidates) {
  const double total = Sum(candidates.Weights());
  Bend(AdaptedTarget(context), total, candidates);
  const size_t drawn = Draw(context, candidates);
  const double probability = FastExp2(candidates.scale().ExponentOf(candidates.logits()[drawn])) / total;
  SamplingMemory& memory = context.memory;
  const double decay = context.params.adaptive_decay;
  memory.adaptive_sum = probability + decay * memory.adaptive_sum;
  memory.adaptive_weight = 1.0 + decay * memory.adaptive_weight;
  return drawn;
}

}  // namespace rf
