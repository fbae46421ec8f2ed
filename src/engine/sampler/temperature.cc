#include <algorithm>

#include "engine/sampler/steps.h"

namespace rf {

void ApplyTemperature(const SamplingParams& params, std::vector<Candidate>& candidates) {
  // Differences from the best one: a tiny temperature sends them to minus infinity, never to infinity.
  const float best = std::min_element(candidates.begin(), candidates.end(), IsBetter)->logit;
  for (Candidate& candidate : candidates) candidate.logit = (candidate.logit - best) / params.temperature;
}

}  // namespace rf
