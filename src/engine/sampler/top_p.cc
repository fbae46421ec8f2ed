#include <algorithm>
#include <numeric>

#include "engine/sampler/steps.h"

namespace rf {

// Holtzman et al. 2019, arXiv:1904.09751, section 3.1: the smallest set whose probability reaches top_p; at least one.
void ApplyTopP(const SamplingParams& params, std::vector<Candidate>& candidates) {
  if (params.top_p >= 1.0f || candidates.size() < 2) return;
  std::sort(candidates.begin(), candidates.end(), IsBetter);
  const std::vector<double> weights = Weights(candidates);
  const double wanted = params.top_p * std::accumulate(weights.begin(), weights.end(), 0.0);
  double sum = 0.0;
  size_t n = 0;
  do sum += weights[n++];
  while (n < weights.size() && sum < wanted);
  candidates.resize(n);
}

}  // namespace rf
