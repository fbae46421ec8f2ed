#include "engine/sampler/steps.h"

namespace rf {

void ApplyLogitBias(const SamplingParams& params, const History&, std::span<float> logits) {
  for (const auto& [id, bias] : params.logit_bias) logits[static_cast<size_t>(id)] += bias;
}

}  // namespace rf
