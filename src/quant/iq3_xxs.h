// IQ3_XXS: 256 weights in 8 groups of 32, points of a codebook of 256. Layout: docs/quant/iq3_xxs.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/iq3_xxs_grid.h"
#include "quant/iq_signs.h"
#include "quant/load.h"

namespace rf {

#pragma pack(push, 1)
struct BlockIQ3_XXS {
  static constexpr int kElements = 256;
  uint16_t d;                ///< F16 scale of the scales
  uint8_t qs[64];            ///< point number of each 4 weights
  uint8_t signs_scales[32];  ///< a 32-bit word for each group: 4 x 7 sign bits, 4-bit scale
};
#pragma pack(pop)
static_assert(sizeof(BlockIQ3_XXS) == 98);

RF_SHARED_TABLE int8_t kIq3XxsLevels[8] = {4, 12, 20, 28, 36, 44, 52, 62};

/// w = ± d * (0.5 + scale) / 2 * level
RF_SHARED_INLINE void Unpack(const BlockIQ3_XXS& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int group = 0; group < 8; ++group) {
    const uint32_t word = LoadU32(block.signs_scales + group * 4);
    const float scale = d * (0.5f + static_cast<float>(word >> 28)) * 0.5f;
    for (int i = 0; i < 32; ++i) {
      const uint16_t point = kIq3XxsGrid.points[block.qs[group * 8 + i / 4]];
      const float magnitude = scale * static_cast<float>(kIq3XxsLevels[OctalDigit(point, i % 4)]);
      out[group * 32 + i] = WithSign(magnitude, EvenSigns(word >> (i / 8 * 7) & 0x7fu), i % 8);
    }
  }
}

}  // namespace rf
