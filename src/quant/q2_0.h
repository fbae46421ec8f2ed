// Q2_0: 64 weights of two bits, one scale. Layout: docs/quant/q2_0.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"

namespace rf {

#pragma pack(push, 1)
struct BlockQ2_0 {
  static constexpr int kElements = 64;
  uint16_t d;      ///< F16 scale
  uint8_t qs[16];  ///< bits 2k and 2k + 1 of byte i: quant of weight 4i + k
};
#pragma pack(pop)
static_assert(sizeof(BlockQ2_0) == 18);

/// w = d * (q - 1), q of 0..3
RF_SHARED_INLINE void Unpack(const BlockQ2_0& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int i = 0; i < 64; ++i) out[i] = d * static_cast<float>((block.qs[i / 4] >> (i % 4 * 2) & 3) - 1);
}

}  // namespace rf
