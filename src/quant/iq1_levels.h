// What a point of the IQ1 formats' codebook means.
#pragma once

#include <cstdint>

#include "base/portable.h"
#include "quant/iq1_grid.h"

namespace rf {

/// Eight weights: scale * (digit - 1 + shift), the shift being -1/8 or +1/8.
RF_SHARED_INLINE void UnpackIq1Point(float scale, int number, bool shifts_down, float* out) {
  const uint16_t point = kIq1Grid.points[number];
  const float shift = shifts_down ? -0.125f : 0.125f;
  for (int j = 0; j < 8; ++j) out[j] = scale * (static_cast<float>(TernaryDigit(point, j) - 1) + shift);
}

}  // namespace rf
