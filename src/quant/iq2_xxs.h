// IQ2_XXS: 256 weights in 8 groups of 32, points of a codebook of 256. Layout: docs/quant/iq2_xxs.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/iq2_levels.h"
#include "quant/iq2_xxs_grid.h"
#include "quant/load.h"

namespace rf {

#pragma pack(push, 1)
struct BlockIQ2_XXS {
  static constexpr int kElements = 256;
  uint16_t d;      ///< F16 scale of the scales
  uint8_t qs[64];  ///< for each group four bytes of point numbers, then a 32-bit word: 4 x 7 sign bits, 4-bit scale
};
#pragma pack(pop)
static_assert(sizeof(BlockIQ2_XXS) == 66);

/// w = ± d * (0.5 + scale) / 4 * level
RF_SHARED_INLINE void Unpack(const BlockIQ2_XXS& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int group = 0; group < 8; ++group) {
    const uint8_t* points = block.qs + group * 8;
    const uint32_t word = LoadU32(points + 4);
    const float scale = Iq2Scale(d, static_cast<int>(word >> 28));
    for (int i = 0; i < 4; ++i) {
      const uint32_t signs = EvenSigns(word >> (7 * i) & 0x7fu);
      UnpackIq2Point(scale, kIq2XxsGrid.points[points[i]], signs, out + group * 32 + i * 8);
    }
  }
}

}  // namespace rf
