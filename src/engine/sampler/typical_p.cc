#include "engine/sampler/steps.h"

namespace rf {

// Locally typical sampling (Meister et al. 2022, arXiv:2202.00666): the smallest set with probability typical_p of
// tokens whose surprise is closest to the entropy.
void ApplyTypicalP(const SamplingContext& context, Candidates& candidates) {
  const float typical_p = context.params.typical_p;
  if (typical_p >= 1.0f) return;
  // Surprise and entropy both without the log of the sum of weights, which their difference does not need.
  const WeightMoments moments = candidates.MeasureWeights();
  candidates.KeepNearest(moments.mean_distance, typical_p, moments.sum);
}

}  // namespace rf
