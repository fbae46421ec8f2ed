// IQ4_XS: 256 weights in 8 groups of 32 with 6-bit scales, sixteen uneven levels. Layout: docs/quant/iq4_xs.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/iq4_values.h"

namespace rf {

#pragma pack(push, 1)
struct BlockIQ4_XS {
  static constexpr int kElements = 256;
  uint16_t d;           ///< F16 scale of the scales
  uint16_t scales_h;    ///< upper two bits of the scale of group g in bits 2g and 2g + 1
  uint8_t scales_l[4];  ///< low four bits: group 2i in the low nibble of byte i, group 2i + 1 in its high nibble
  uint8_t qs[128];      ///< 16 bytes for each group, as in IQ4_NL
};
#pragma pack(pop)
static_assert(sizeof(BlockIQ4_XS) == 136);

/// w = (d * (scale - 32)) * kIq4NlValues[code]
RF_SHARED_INLINE void Unpack(const BlockIQ4_XS& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int group = 0; group < 8; ++group) {
    const int low = block.scales_l[group / 2] >> (group % 2 * 4) & 0xf;
    const int scale = (low | (block.scales_h >> (2 * group) & 3) << 4) - 32;
    const float group_scale = d * static_cast<float>(scale);
    const uint8_t* qs = block.qs + group * 16;
    float* values = out + group * 32;
    for (int j = 0; j < 16; ++j) {
      values[j] = group_scale * static_cast<float>(kIq4NlValues[qs[j] & 0xf]);
      values[j + 16] = group_scale * static_cast<float>(kIq4NlValues[qs[j] >> 4]);
    }
  }
}

}  // namespace rf
