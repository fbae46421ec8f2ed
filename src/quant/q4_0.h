// Q4_0: 32 weights, one scale. Layout: docs/quant/q4_0.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/pack_util.h"

namespace rf {

#pragma pack(push, 1)
struct BlockQ4_0 {
  static constexpr int kElements = 32;
  uint16_t d;      ///< F16 scale
  uint8_t qs[16];  ///< quant j in the low nibble of byte j, quant j + 16 in its high nibble
};
#pragma pack(pop)
static_assert(sizeof(BlockQ4_0) == 18);

/// w = d * (q - 8)
RF_SHARED_INLINE void Unpack(const BlockQ4_0& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>((block.qs[j] & 0xf) - 8);
    out[j + 16] = d * static_cast<float>((block.qs[j] >> 4) - 8);
  }
}

/// d = x / -8 for the x of largest magnitude (its sign kept, the first of equals), q = floor(x / d + 8.5), at most 15.
RF_SHARED_INLINE void Pack(const float* values, BlockQ4_0* out) {
  const float d = Extreme(values, 32) / -8.0f;
  const float inverse = InverseOrZero(d);
  out->d = FloatToHalf(d);
  for (int j = 0; j < 16; ++j) {
    const int low = TruncateQuant(values[j] * inverse + 8.5f);
    const int high = TruncateQuant(values[j + 16] * inverse + 8.5f);
    out->qs[j] = PairOfNibbles(low < 15 ? low : 15, high < 15 ? high : 15);
  }
}

}  // namespace rf
