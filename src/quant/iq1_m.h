// IQ1_M: 256 weights in 16 groups of 16, points of a ternary codebook of 2048. Layout: docs/quant/iq1_m.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/iq1_levels.h"

namespace rf {

#pragma pack(push, 1)
struct BlockIQ1_M {
  static constexpr int kElements = 256;
  uint8_t qs[32];  ///< low eight bits of the point number of each 8 weights
  uint8_t qh[16];  ///< a nibble for each point, even ones low: three upper bits of its number, sign of its shift
  uint16_t
      scales[4];  ///< 4 x 3-bit scales each; the top nibbles together are the F16 scale of the scales, lowest first
};
#pragma pack(pop)
static_assert(sizeof(BlockIQ1_M) == 56);

/// w = d * (2 * scale + 1) * (level ± 1/8), the levels being -1, 0, 1
RF_SHARED_INLINE void Unpack(const BlockIQ1_M& block, float* out) {
  uint32_t d_bits = 0;
  for (int i = 0; i < 4; ++i) d_bits |= static_cast<uint32_t>(block.scales[i] >> 12) << (4 * i);
  const float d = HalfToFloat(static_cast<uint16_t>(d_bits));
  for (int i = 0; i < 32; ++i) {
    const int group = i / 2;
    const float scale = d * static_cast<float>(2 * (block.scales[group / 4] >> (group % 4 * 3) & 7) + 1);
    const int nibble = block.qh[i / 2] >> (i % 2 * 4) & 0xf;
    UnpackIq1Point(scale, block.qs[i] | (nibble & 7) << 8, (nibble & 8) != 0, out + i * 8);
  }
}

}  // namespace rf
