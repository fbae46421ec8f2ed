// TQ2_0: 256 ternary weights of two bits, one scale. Layout: docs/quant/tq2_0.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"

namespace rf {

#pragma pack(push, 1)
struct BlockTQ2_0 {
  static constexpr int kElements = 256;
  uint8_t qs[64];  ///< 32 bytes for each 128 weights: bits 2k and 2k + 1 of byte j are the quant of weight 32k + j
  uint16_t d;      ///< F16 scale
};
#pragma pack(pop)
static_assert(sizeof(BlockTQ2_0) == 66);

/// w = d * (q - 1)
RF_SHARED_INLINE void Unpack(const BlockTQ2_0& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int i = 0; i < 256; ++i) {
    const int q = block.qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
    out[i] = d * static_cast<float>(q - 1);
  }
}

}  // namespace rf
