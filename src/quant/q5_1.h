// Q5_1: 32 weights, scale and minimum. Layout: docs/quant/q5_1.md.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/half.h"
#include "base/portable.h"
#include "quant/pack_util.h"

namespace rf {

#pragma pack(push, 1)
struct BlockQ5_1 {
  static constexpr int kElements = 32;
  uint16_t d;      ///< F16 scale
  uint16_t m;      ///< F16 minimum
  uint8_t qh[4];   ///< little-endian word: bit j is the fifth bit of quant j
  uint8_t qs[16];  ///< low four bits: quant j in the low nibble of byte j, quant j + 16 in its high nibble
};
#pragma pack(pop)
static_assert(sizeof(BlockQ5_1) == 24);

/// w = d * q + m
RF_SHARED_INLINE void Unpack(const BlockQ5_1& block, float* out) {
  const float d = HalfToFloat(block.d);
  const float m = HalfToFloat(block.m);
  uint32_t high;
  memcpy(&high, block.qh, sizeof(high));
  for (int j = 0; j < 16; ++j) {
    const int low_quant = (block.qs[j] & 0xf) | static_cast<int>((high >> j) & 1u) << 4;
    const int high_quant = (block.qs[j] >> 4) | static_cast<int>((high >> (j + 16)) & 1u) << 4;
    out[j] = d * static_cast<float>(low_quant) + m;
    out[j + 16] = d * static_cast<float>(high_quant) + m;
  }
}

/// m = min(x), d = (max(x) - m) / 31, q = floor((x - m) / d + 0.5), at most 31.
RF_SHARED_INLINE void Pack(const float* values, BlockQ5_1* out) {
  const ValueRange range = RangeOf(values, 32);
  const float d = (range.maximum - range.minimum) / 31.0f;
  const float inverse = InverseOrZero(d);
  out->d = FloatToHalf(d);
  out->m = FloatToHalf(range.minimum);
  uint8_t quants[32];
  for (int j = 0; j < 32; ++j) {
    const int q = TruncateQuant((values[j] - range.minimum) * inverse + 0.5f);
    quants[j] = static_cast<uint8_t>(q < 31 ? q : 31);
  }
  StoreFiveBits(quants, out->qh, out->qs);
}

}  // namespace rf
