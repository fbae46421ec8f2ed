// Q4_1: 32 weights, scale and minimum. Layout: docs/quant/q4_1.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/pack_util.h"

namespace rf {

#pragma pack(push, 1)
struct BlockQ4_1 {
  static constexpr int kElements = 32;
  uint16_t d;      ///< F16 scale
  uint16_t m;      ///< F16 minimum
  uint8_t qs[16];  ///< quant j in the low nibble of byte j, quant j + 16 in its high nibble
};
#pragma pack(pop)
static_assert(sizeof(BlockQ4_1) == 20);

/// w = d * q + m
RF_SHARED_INLINE void Unpack(const BlockQ4_1& block, float* out) {
  const float d = HalfToFloat(block.d);
  const float m = HalfToFloat(block.m);
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>(block.qs[j] & 0xf) + m;
    out[j + 16] = d * static_cast<float>(block.qs[j] >> 4) + m;
  }
}

/// m = min(x), d = (max(x) - m) / 15, q = floor((x - m) / d + 0.5), at most 15.
RF_SHARED_INLINE void Pack(const float* values, BlockQ4_1* out) {
  const ValueRange range = RangeOf(values, 32);
  const float d = (range.maximum - range.minimum) / 15.0f;
  const float inverse = InverseOrZero(d);
  out->d = FloatToHalf(d);
  out->m = FloatToHalf(range.minimum);
  for (int j = 0; j < 16; ++j) {
    const int low = TruncateQuant((values[j] - range.minimum) * inverse + 0.5f);
    const int high = TruncateQuant((values[j + 16] - range.minimum) * inverse + 0.5f);
    out->qs[j] = PairOfNibbles(low < 15 ? low : 15, high < 15 ? high : 15);
  }
}

}  // namespace rf
