// Q1_0: 128 weights of one bit, one scale. Layout: docs/quant/q1_0.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"

namespace rf {

#pragma pack(push, 1)
struct BlockQ1_0 {
  static constexpr int kElements = 128;
  uint16_t d;      ///< F16 scale
  uint8_t qs[16];  ///< bit j of byte i: weight 8i + j is d (1) or -d (0)
};
#pragma pack(pop)
static_assert(sizeof(BlockQ1_0) == 18);

/// w = d or -d
RF_SHARED_INLINE void Unpack(const BlockQ1_0& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int i = 0; i < 128; ++i) out[i] = (block.qs[i / 8] >> (i % 8) & 1) != 0 ? d : -d;
}

}  // namespace rf
