#include "engine/sampler/block_maxima.h"

#include <functional>
#include <limits>

namespace rf {

void BlockMaxima::Reset(std::span<const float> logits) {
  logits_ = logits;
  is_known_ = false;
}

const std::vector<float>& BlockMaxima::Maxima() {
  if (!is_known_) ComputeBlockMaxima(logits_, maxima_);
  is_known_ = true;
  return maxima_;
}

float BlockMaxima::Largest() {
  float largest = -std::numeric_limits<float>::infinity();
  for (const float maximum : Maxima()) largest = std::max(largest, maximum);
  return largest;
}

float BlockMaxima::ReachedBy(size_t k) {
  std::vector<float> order = Maxima();
  if (k > order.size()) return -std::numeric_limits<float>::infinity();
  const auto kth = order.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(order.begin(), kth, order.end(), std::greater<>());
  return *kth;
}

}  // namespace rf
