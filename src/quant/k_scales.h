// The 6-bit scales and minimums that Q4_K and Q5_K share: eight pairs in twelve bytes.
#pragma once

#include <cstdint>

#include "base/portable.h"

namespace rf {

struct KScale {
  int scale;
  int minimum;
};

/// Pair j of 0..7. Pairs 0..3: scale in the low six bits of byte j, minimum in those of byte j + 4. Pairs 4..7: low
/// four bits in byte j + 4 (scale low nibble, minimum high nibble), upper two bits in the top of bytes j - 4 (scale)
/// and j (minimum).
RF_SHARED_INLINE KScale UnpackKScale(const uint8_t* scales, int j) {
  if (j < 4) return {scales[j] & 63, scales[j + 4] & 63};
  return {(scales[j + 4] & 0xf) | (scales[j - 4] >> 6) << 4, (scales[j + 4] >> 4) | (scales[j] >> 6) << 4};
}

}  // namespace rf
