#include <cmath>

#include "engine/sampler/steps.h"

namespace rf {

// Locally typical sampling (Meister et al. 2022, arXiv:2202.00666): the smallest set with probability typical_p of
// tokens whose surprise is closest to the entropy.
void ApplyTypicalP(const SamplingContext& context, Candidates& candidates) {
  const float typical_p = context.params.typical_p;
  if (typical_p >= 1.0f) return;
  std::vector<Candidate>& items = candidates.items;
  const std::vector<float> weights = Weights(items);
  const double largest = LargestLogit(items);
  // Surprise and entropy both without the log of the sum of weights, which their difference does not need.
  const double entropy = MeanDistance(items, weights);
  std::vector<float> ranks(items.size());
  for (size_t i = 0; i < items.size(); ++i) {
    ranks[i] = static_cast<float>(std::abs(largest - items[i].logit - entropy));
  }
  KeepUntil(items, weights, ranks, typical_p * Sum(weights));
}

}  // namespace rf
