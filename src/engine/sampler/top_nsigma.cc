#include <cmath>

#include "engine/sampler/steps.h"

namespace rf {

// Tang et al. 2024, arXiv:2411.07641: drops logits that are more than n standard deviations below the largest.
void ApplyTopNSigma(const SamplingContext& context, Candidates& candidates) {
  if (context.params.top_n_sigma <= 0.0f) return;
  const LogitMoments moments = MeasureLogits(candidates.logits(), candidates.largest());
  candidates.KeepAtLeast(candidates.largest() - context.params.top_n_sigma * std::sqrt(moments.variance));
}

}  // namespace rf
