// Plain functions over one row of logits.
#include <algorithm>
#include <cmath>

#include "engine/sampler/sampler.h"

namespace rf {

double LogSumExp(std::span<const float> logits) {
  const double largest = logits[static_cast<size_t>(ArgMax(logits))];
  if (!std::isfinite(largest)) return largest;
  double sum = 0.0;
  for (const float logit : logits) {
    if (!std::isnan(logit)) sum += std::exp(logit - largest);
  }
  return largest + std::log(sum);
}

std::vector<TokenLogprob> TopLogprobs(std::span<const float> logits, int32_t k) {
  const double log_sum = LogSumExp(logits);
  std::vector<int32_t> order;
  order.reserve(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!std::isnan(logits[i])) order.push_back(static_cast<int32_t>(i));
  }
  const auto n = std::min<size_t>(static_cast<size_t>(k), order.size());
  const auto is_better = [&](int32_t a, int32_t b) {
    const float x = logits[static_cast<size_t>(a)];
    const float y = logits[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(n), order.end(), is_better);
  std::vector<TokenLogprob> top;
  for (size_t i = 0; i < n; ++i) {
    top.push_back({order[i], static_cast<float>(logits[static_cast<size_t>(order[i])] - log_sum)});
  }
  return top;
}

}  // namespace rf
