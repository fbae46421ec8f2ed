// Q2_K: 256 weights in 16 groups of 16 with 4-bit scales and minimums. Layout: docs/quant/q2_k.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"

namespace rf {

#pragma pack(push, 1)
struct BlockQ2_K {
  static constexpr int kElements = 256;
  uint8_t scales[16];  ///< group g: scale in the low nibble of byte g, minimum in its high nibble
  uint8_t qs[64];      ///< 32 bytes for each 128 weights: bits 2k and 2k + 1 of byte j are the quant of weight 32k + j
  uint16_t d;          ///< F16 scale of the scales
  uint16_t dmin;       ///< F16 scale of the minimums
};
#pragma pack(pop)
static_assert(sizeof(BlockQ2_K) == 84);

/// w = (d * scale) * q - dmin * minimum
RF_SHARED_INLINE void Unpack(const BlockQ2_K& block, float* out) {
  const float d = HalfToFloat(block.d);
  const float dmin = HalfToFloat(block.dmin);
  for (int group = 0; group < 16; ++group) {
    const float scale = d * static_cast<float>(block.scales[group] & 0xf);
    const float minimum = dmin * static_cast<float>(block.scales[group] >> 4);
    const uint8_t* qs = block.qs + group / 8 * 32 + group % 2 * 16;
    const int shift = group % 8 / 2 * 2;
    for (int j = 0; j < 16; ++j) out[group * 16 + j] = scale * static_cast<float>(qs[j] >> shift & 3) - minimum;
  }
}

}  // namespace rf
