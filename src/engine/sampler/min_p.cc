#include <algorithm>
#include <cmath>

#include "engine/sampler/steps.h"

namespace rf {

// Nguyen et al. 2024, arXiv:2407.01082: drops what is less likely than min_p times the best.
void ApplyMinP(const SamplingContext& context, Candidates& candidates) {
  if (context.params.min_p <= 0.0f) return;
  const float least = LargestLogit(candidates.items) + std::log(context.params.min_p);
  std::erase_if(candidates.items, [&](const Candidate& candidate) { return candidate.logit < least; });
}

}  // namespace rf
