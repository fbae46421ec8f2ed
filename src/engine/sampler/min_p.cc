#include <algorithm>
#include <cmath>

#include "engine/sampler/steps.h"

namespace rf {

// Nguyen et al. 2024, arXiv:2407.01082: drops what is less likely than min_p times the best.
void ApplyMinP(const SamplingParams& params, std::vector<Candidate>& candidates) {
  if (params.min_p <= 0.0f) return;
  const float best = std::min_element(candidates.begin(), candidates.end(), IsBetter)->logit;
  const float least = best + std::log(params.min_p);
  std::erase_if(candidates, [&](const Candidate& candidate) { return candidate.logit < least; });
}

}  // namespace rf
