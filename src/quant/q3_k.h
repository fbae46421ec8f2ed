// Q3_K: 256 weights in 16 groups of 16 with 6-bit scales. Layout: docs/quant/q3_k.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"

namespace rf {

#pragma pack(push, 1)
struct BlockQ3_K {
  static constexpr int kElements = 256;
  uint8_t hmask[32];   ///< bit k of byte j: third bit of the quant of weight 32k + j
  uint8_t qs[64];      ///< low two bits, as in Q2_K
  uint8_t scales[12];  ///< low four bits in bytes 0..7, upper two in bytes 8..11: see Q3KScale
  uint16_t d;          ///< F16 scale of the scales
};
#pragma pack(pop)
static_assert(sizeof(BlockQ3_K) == 110);

/// Scale of group g of 0..15, -32..31: its low four bits are a nibble of byte g % 8 (low for g < 8), its upper two are
/// bits 2 * (g / 4) and the next of byte 8 + g % 4.
RF_SHARED_INLINE int Q3KScale(const uint8_t* scales, int g) {
  const int low = scales[g % 8] >> (g / 8 * 4) & 0xf;
  return (low | (scales[8 + g % 4] >> (g / 4 * 2) & 3) << 4) - 32;
}

/// w = (d * scale) * (q - 4)
RF_SHARED_INLINE void Unpack(const BlockQ3_K& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int group = 0; group < 16; ++group) {
    const float scale = d * static_cast<float>(Q3KScale(block.scales, group));
    const uint8_t* qs = block.qs + group / 8 * 32 + group % 2 * 16;
    const uint8_t* hmask = block.hmask + group % 2 * 16;
    const int shift = group % 8 / 2 * 2;
    for (int j = 0; j < 16; ++j) {
      const int q = (qs[j] >> shift & 3) | (hmask[j] >> (group / 2) & 1) << 2;
      out[group * 16 + j] = scale * static_cast<float>(q - 4);
    }
  }
}

}  // namespace rf
