// IQ2_XS: 256 weights in 16 groups of 16, points of a codebook of 512. Layout: docs/quant/iq2_xs.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/iq2_levels.h"
#include "quant/iq2_xs_grid.h"

namespace rf {

#pragma pack(push, 1)
struct BlockIQ2_XS {
  static constexpr int kElements = 256;
  uint16_t d;         ///< F16 scale of the scales
  uint16_t qs[32];    ///< for each 8 weights: point number in the low nine bits, seven sign bits above
  uint8_t scales[8];  ///< group 2i in the low nibble of byte i, group 2i + 1 in its high nibble
};
#pragma pack(pop)
static_assert(sizeof(BlockIQ2_XS) == 74);

/// w = ± d * (0.5 + scale) / 4 * level
RF_SHARED_INLINE void Unpack(const BlockIQ2_XS& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int i = 0; i < 32; ++i) {
    const float scale = Iq2Scale(d, block.scales[i / 4] >> (i / 2 % 2 * 4) & 0xf);
    const uint32_t word = block.qs[i];
    UnpackIq2Point(scale, kIq2XsGrid.points[word & 0x1ffu], EvenSigns(word >> 9), out + i * 8);
  }
}

}  // namespace rf
