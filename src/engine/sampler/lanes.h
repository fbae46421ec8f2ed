// Plain loops that compilers turn into vector instructions: independent partial results, put together at the end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

namespace rf {

inline constexpr size_t kLanes = 16;

/// The largest of value(0) .. value(n - 1), floats; NaN is passed over. Minus infinity if there is none.
template <typename Value>
float LargestOf(size_t n, Value value) {
  float best[kLanes];
  std::fill_n(best, kLanes, -std::numeric_limits<float>::infinity());
  const size_t n_whole = n / kLanes * kLanes;
  for (size_t i = 0; i < n_whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane)
      best[lane] = value(i + lane) > best[lane] ? value(i + lane) : best[lane];
  }
  for (size_t i = n_whole; i < n; ++i) best[0] = value(i) > best[0] ? value(i) : best[0];
  return *std::max_element(best, best + kLanes);
}

}  // namespace rf
