// Q4_1: 32 weights, scale and minimum. Layout: docs/quant/q4_1.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"

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

}  // namespace rf
