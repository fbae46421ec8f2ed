// Q6_K: 256 weights in 16 groups of 16 with 8-bit scales. Layout: docs/quant/q6_k.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"

namespace rf {

#pragma pack(push, 1)
struct BlockQ6_K {
  static constexpr int kElements = 256;
  uint8_t ql[128];    ///< low four bits: 64 bytes for each 128 weights
  uint8_t qh[64];     ///< upper two bits: 32 bytes for each 128 weights
  int8_t scales[16];  ///< one for each 16 weights
  uint16_t d;         ///< F16 scale of the scales
};
#pragma pack(pop)
static_assert(sizeof(BlockQ6_K) == 210);

/// w = (d * scale) * (q - 32)
RF_SHARED_INLINE void Unpack(const BlockQ6_K& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int half = 0; half < 2; ++half) {
    const uint8_t* ql = block.ql + half * 64;
    const uint8_t* qh = block.qh + half * 32;
    for (int quarter = 0; quarter < 4; ++quarter) {
      for (int j = 0; j < 32; ++j) {
        const uint8_t low_byte = ql[j + quarter % 2 * 32];
        const int low = quarter < 2 ? low_byte & 0xf : low_byte >> 4;
        const int q = (low | ((qh[j] >> (2 * quarter)) & 3) << 4) - 32;
        const int index = half * 128 + quarter * 32 + j;
        const int group = index / 16;
        out[index] = d * static_cast<float>(block.scales[group]) * static_cast<float>(q);
      }
    }
  }
}

}  // namespace rf
