// IQ3_S: 256 weights in 8 groups of 32, points of a codebook of 512, free signs. Layout: docs/quant/iq3_s.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/iq3_s_grid.h"
#include "quant/iq_signs.h"

namespace rf {

#pragma pack(push, 1)
struct BlockIQ3_S {
  static constexpr int kElements = 256;
  uint16_t d;         ///< F16 scale of the scales
  uint8_t qs[64];     ///< low eight bits of the point number of each 4 weights
  uint8_t qh[8];      ///< ninth bits: bit k of byte i for point 8i + k
  uint8_t signs[32];  ///< bit j of byte i: weight 8i + j is negative
  uint8_t scales[4];  ///< group 2i in the low nibble of byte i, group 2i + 1 in its high nibble
};
#pragma pack(pop)
static_assert(sizeof(BlockIQ3_S) == 110);

/// w = ± d * (2 * scale + 1) * level, the levels being the odd numbers 1..15
RF_SHARED_INLINE void Unpack(const BlockIQ3_S& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int i = 0; i < 64; ++i) {
    const int group = i / 8;
    const int scale = block.scales[group / 2] >> (group % 2 * 4) & 0xf;
    const float group_scale = d * static_cast<float>(2 * scale + 1);
    const uint16_t point = kIq3SGrid.points[block.qs[i] | (block.qh[i / 8] >> (i % 8) & 1) << 8];
    for (int j = 0; j < 4; ++j) {
      const float magnitude = group_scale * static_cast<float>(2 * OctalDigit(point, j) + 1);
      out[i * 4 + j] = WithSign(magnitude, block.signs[i / 2], i % 2 * 4 + j);
    }
  }
}

}  // namespace rf
