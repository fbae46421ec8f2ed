#include <cmath>

#include "engine/sampler/steps.h"

namespace rf {

// Nguyen et al. 2024, arXiv:2407.01082: drops what is less likely than min_p times the best.
void ApplyMinP(const SamplingContext& context, Candidates& candidates) {
  const double min_p = context.params.min_p;
  if (min_p <= 0.0) return;
  candidates.KeepAtLeast(candidates.largest() + std::log2(min_p) / candidates.scale().factor);
}

}  // namespace rf
