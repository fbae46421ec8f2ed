#include "engine/sampler/steps.h"

namespace rf {

void ApplyTemperature(const SamplingParams& params, std::vector<Candidate>& candidates) {
  for (Candidate& candidate : candidates) candidate.logit /= params.temperature;
}

}  // namespace rf
