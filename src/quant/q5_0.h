// Q5_0: 32 weights, one scale. Layout: docs/quant/q5_0.md.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/half.h"
#include "base/portable.h"

namespace rf {

#pragma pack(push, 1)
struct BlockQ5_0 {
  static constexpr int kElements = 32;
  uint16_t d;      ///< F16 scale
  uint8_t qh[4];   ///< little-endian word: bit j is the fifth bit of quant j
  uint8_t qs[16];  ///< low four bits: quant j in the low nibble of byte j, quant j + 16 in its high nibble
};
#pragma pack(pop)
static_assert(sizeof(BlockQ5_0) == 22);

/// w = d * (q - 16)
RF_SHARED_INLINE void Unpack(const BlockQ5_0& block, float* out) {
  const float d = HalfToFloat(block.d);
  uint32_t high;
  memcpy(&high, block.qh, sizeof(high));
  for (int j = 0; j < 16; ++j) {
    const int low_quant = (block.qs[j] & 0xf) | static_cast<int>((high >> j) & 1u) << 4;
    const int high_quant = (block.qs[j] >> 4) | static_cast<int>((high >> (j + 16)) & 1u) << 4;
    out[j] = d * static_cast<float>(low_quant - 16);
    out[j + 16] = d * static_cast<float>(high_quant - 16);
  }
}

}  // namespace rf
