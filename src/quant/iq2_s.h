// IQ2_S: 256 weights in 16 groups of 16, points of a codebook of 1024, free signs. Layout: docs/quant/iq2_s.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/iq2_levels.h"
#include "quant/iq2_s_grid.h"

namespace rf {

#pragma pack(push, 1)
struct BlockIQ2_S {
  static constexpr int kElements = 256;
  uint16_t d;         ///< F16 scale of the scales
  uint8_t qs[32];     ///< low eight bits of the point number of each 8 weights
  uint8_t signs[32];  ///< bit j of byte i: weight 8i + j is negative
  uint8_t qh[8];      ///< upper two bits of the point numbers: bits 2k and 2k + 1 of byte i for point 4i + k
  uint8_t scales[8];  ///< group 2i in the low nibble of byte i, group 2i + 1 in its high nibble
};
#pragma pack(pop)
static_assert(sizeof(BlockIQ2_S) == 82);

/// w = ± d * (0.5 + scale) / 4 * level
RF_SHARED_INLINE void Unpack(const BlockIQ2_S& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int i = 0; i < 32; ++i) {
    const float scale = Iq2Scale(d, block.scales[i / 4] >> (i / 2 % 2 * 4) & 0xf);
    const int number = block.qs[i] | (block.qh[i / 4] >> (i % 4 * 2) & 3) << 8;
    UnpackIq2Point(scale, kIq2SGrid.points[number], block.signs[i], out + i * 8);
  }
}

}  // namespace rf
