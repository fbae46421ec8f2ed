// Q4_K: 256 weights in 8 groups of 32 with 6-bit scales and minimums. Layout: docs/quant/q4_k.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/k_scales.h"

namespace rf {

#pragma pack(push, 1)
struct BlockQ4_K {
  static constexpr int kElements = 256;
  uint16_t d;          ///< F16 scale of the scales
  uint16_t dmin;       ///< F16 scale of the minimums
  uint8_t scales[12];  ///< quant/k_scales.h
  uint8_t qs[128];     ///< 32 bytes for each 64 weights: the first 32 in the low nibbles, the others in the high ones
};
#pragma pack(pop)
static_assert(sizeof(BlockQ4_K) == 144);

/// w = (d * scale) * q - dmin * minimum
RF_SHARED_INLINE void Unpack(const BlockQ4_K& block, float* out) {
  const float d = HalfToFloat(block.d);
  const float dmin = HalfToFloat(block.dmin);
  for (int group = 0; group < 8; ++group) {
    const KScale pair = UnpackKScale(block.scales, group);
    const float scale = d * static_cast<float>(pair.scale);
    const float minimum = dmin * static_cast<float>(pair.minimum);
    const uint8_t* qs = block.qs + group / 2 * 32;
    for (int j = 0; j < 32; ++j) {
      const int q = group % 2 == 0 ? qs[j] & 0xf : qs[j] >> 4;
      out[group * 32 + j] = scale * static_cast<float>(q) - minimum;
    }
  }
}

}  // namespace rf
