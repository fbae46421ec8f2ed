#include "engine/sampler/steps.h"

namespace rf {

// Holtzman et al. 2019, arXiv:1904.09751, section 3.1: the smallest set whose probability reaches top_p; at least one.
void ApplyTopP(const SamplingContext& context, Candidates& candidates) {
  const float top_p = context.params.top_p;
  if (top_p >= 1.0f) return;
  std::vector<Candidate>& items = candidates.items;
  const std::vector<float> weights = Weights(items);
  const float largest = LargestLogit(items);
  std::vector<float> ranks(items.size());
  for (size_t i = 0; i < items.size(); ++i) ranks[i] = largest - items[i].logit;
  KeepUntil(items, weights, ranks, top_p * (Sum(weights) + candidates.left_out));
  candidates.left_out = 0.0;
}

}  // namespace rf
