// Where a sum of weights in some order reaches a value.
#pragma once

#include <cstddef>
#include <span>

#include "engine/sampler/passes.h"

namespace rf {

/// The last one that is kept.
struct Cut {
  float rank;
  size_t index;  ///< of those of equal rank

  friend bool operator<(const Cut& a, const Cut& b) {
    return a.rank < b.rank || (a.rank == b.rank && a.index < b.index);
  }
};

/// The fewest of smallest rank (equal ones: lower index first) whose weights reach `wanted`; at least one; all if they
/// do not. `total`: the sum of weights. Linear: nothing is sorted but those around the cut. REQUIRES: not empty.
Cut FindCut(std::span<const float> logits, Ranking ranking, std::span<const float> weights, double wanted,
            double total);

}  // namespace rf
