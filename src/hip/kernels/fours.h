// Four elements at a time of stretches that may lie anywhere and have any length.
#pragma once

#include "hip/kernels/views.h"

namespace rf::hip {
namespace {

/// Whether every row's Float4s lie where they can be loaded at once.
inline bool HoldsFours(const TensorView& rows) {
  return reinterpret_cast<uintptr_t>(rows.data) % sizeof(Float4) == 0 && rows.row_stride % 4 == 0 &&
         rows.n_cols % 4 == 0;
}

/// Elements at .. at + 3, zeros from `end` on.
template <bool kIsAligned>
RF_DEVICE Float4 LoadFour(const float* from, int at, int end) {
  if constexpr (kIsAligned) {
    if (at < end) return *reinterpret_cast<const Float4*>(from + at);
    return {0.0f, 0.0f, 0.0f, 0.0f};
  } else {
    return {at < end ? from[at] : 0.0f, at + 1 < end ? from[at + 1] : 0.0f, at + 2 < end ? from[at + 2] : 0.0f,
            at + 3 < end ? from[at + 3] : 0.0f};
  }
}

/// Writes elements at .. at + 3 that come before `end`.
template <bool kIsAligned>
RF_DEVICE void StoreFour(const Float4& four, float* to, int at, int end) {
  if constexpr (kIsAligned) {
    if (at < end) *reinterpret_cast<Float4*>(to + at) = four;
  } else {
    if (at < end) to[at] = four.x;
    if (at + 1 < end) to[at + 1] = four.y;
    if (at + 2 < end) to[at + 2] = four.z;
    if (at + 3 < end) to[at + 3] = four.w;
  }
}

}  // namespace
}  // namespace rf::hip
