#include "engine/sampler/steps.h"

namespace rf {

// Holtzman et al. 2019, arXiv:1904.09751, section 3.1: the smallest set whose probability reaches top_p; at least one.
void ApplyTopP(const SamplingContext& context, Candidates& candidates) {
  const float top_p = context.params.top_p;
  if (top_p >= 1.0f) return;
  candidates.KeepNearest(0.0, top_p, candidates.SumWeights());
}

}  // namespace rf
