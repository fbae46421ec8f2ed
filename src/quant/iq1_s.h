// IQ1_S: 256 weights in 8 groups of 32, points of a ternary codebook of 2048. Layout: docs/quant/iq1_s.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/iq1_levels.h"

namespace rf {

#pragma pack(push, 1)
struct BlockIQ1_S {
  static constexpr int kElements = 256;
  uint16_t d;      ///< F16 scale of the scales
  uint8_t qs[32];  ///< low eight bits of the point number of each 8 weights
  uint16_t qh[8];  ///< for each group: 4 x 3 upper bits of its point numbers, 3-bit scale, sign of the shift
};
#pragma pack(pop)
static_assert(sizeof(BlockIQ1_S) == 50);

/// w = d * (2 * scale + 1) * (level ± 1/8), the levels being -1, 0, 1
RF_SHARED_INLINE void Unpack(const BlockIQ1_S& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int group = 0; group < 8; ++group) {
    const uint32_t word = block.qh[group];
    const float scale = d * static_cast<float>(2 * (word >> 12 & 7u) + 1);
    for (int i = 0; i < 4; ++i) {
      const int number = block.qs[group * 4 + i] | static_cast<int>(word >> (3 * i) & 7u) << 8;
      UnpackIq1Point(scale, number, (word & 0x8000u) != 0, out + group * 32 + i * 8);
    }
  }
}

}  // namespace rf
