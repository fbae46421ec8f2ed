#include "engine/sampler/steps.h"

namespace rf {

// Fan et al. 2018, arXiv:1805.04833, section 5.4.
void ApplyTopK(const SamplingContext& context, Candidates& candidates) {
  if (context.params.top_k > 0) candidates.KeepBest(static_cast<size_t>(context.params.top_k));
}

}  // namespace rf
