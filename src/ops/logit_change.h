// How a logit changes before a token is chosen: biases, bans and penalties. One function for the host's sampler and for
// every device's kernels, so that all get the same bits. REQUIRES: a compiler that fuses no products and sums.
#pragma once

#include <cstdint>

#include "base/half.h"

namespace rf {

enum class LogitChangeKind : int32_t {
  kAdd,       ///< logit + operand
  kPenalize,  ///< logit / operand if it is positive, otherwise logit * operand
  kSet,       ///< operand, whatever the logit is
};

/// One change of one token's logit.
struct LogitChange {
  int32_t token;
  LogitChangeKind kind;
  float operand;
};

RF_SHARED_INLINE float ChangedLogit(float logit, const LogitChange& change) {
  switch (change.kind) {
    case LogitChangeKind::kAdd: return logit + change.operand;
    case LogitChangeKind::kPenalize: return logit > 0.0f ? logit / change.operand : logit * change.operand;
    case LogitChangeKind::kSet: return change.operand;
  }
  return logit;
}

}  // namespace rf
