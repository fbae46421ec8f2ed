#include <algorithm>

#include "engine/sampler/steps.h"

namespace rf {

// Fan et al. 2018, arXiv:1805.04833, section 5.4.
void ApplyTopK(const SamplingParams& params, std::vector<Candidate>& candidates) {
  const auto k = static_cast<size_t>(params.top_k);
  if (k == 0 || k >= candidates.size()) return;
  std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(k), candidates.end(), IsBetter);
  candidates.resize(k);
}

}  // namespace rf
