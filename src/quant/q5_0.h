// Q5_0: 32 weights, one scale. Layout: docs/quant/q5_0.md.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/half.h"
#include "base/portable.h"
#include "quant/pack_util.h"

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

/// d = x / -16 for the x of largest magnitude (its sign kept, the first of equals), q = floor(x / d + 16.5), at
/// most 31.
RF_SHARED_INLINE void Pack(const float* values, BlockQ5_0* out) {
  const float d = Extreme(values, 32) / -16.0f;
  const float inverse = InverseOrZero(d);
  out->d = FloatToHalf(d);
  uint8_t quants[32];
  for (int j = 0; j < 32; ++j) {
    const int q = TruncateQuant(values[j] * inverse + 16.5f);
    quants[j] = static_cast<uint8_t>(q < 31 ? q : 31);
  }
  StoreFiveBits(quants, out->qh, out->qs);
}

}  // namespace rf
