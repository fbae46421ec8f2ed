#include <algorithm>
#include <cmath>

#include "engine/sampler/steps.h"

namespace rf {

// Tang et al. 2024, arXiv:2411.07641: drops logits that are more than n standard deviations below the largest.
void ApplyTopNSigma(const SamplingContext& context, Candidates& candidates) {
  if (context.params.top_n_sigma <= 0.0f) return;
  std::vector<Candidate>& items = candidates.items;
  const auto n = static_cast<double>(items.size());
  double mean = 0.0;
  for (const Candidate& candidate : items) mean += candidate.logit / n;
  double variance = 0.0;
  for (const Candidate& candidate : items) variance += (candidate.logit - mean) * (candidate.logit - mean) / n;
  const double least = LargestLogit(items) - context.params.top_n_sigma * std::sqrt(variance);
  std::erase_if(items, [&](const Candidate& candidate) { return candidate.logit < least; });
}

}  // namespace rf
