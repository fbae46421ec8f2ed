// Counts allocations and lets some of them fail. A program that links this has its global operator new replaced.
#pragma once

#include <cstdint>

namespace rf {

struct AllocationCounts {
  int64_t n_allocations = 0;
  int64_t n_live = 0;         ///< allocations that were not freed
  bool was_optional = false;  ///< one failed that the caller can do without, as std::stable_sort's
};

/// From now on allocations are counted, and `n_failing` of them fail, beginning with number `first_failing` (from 0;
/// -1: none). For one thread.
void StartCounting(int64_t first_failing = -1, int64_t n_failing = 1);

/// Ends it.
AllocationCounts StopCounting();

}  // namespace rf
