// Q8_1: 32 numbers, one scale, and the scaled sum of the quants; an intermediate format. Layout: docs/quant/q8_1.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/pack_util.h"

namespace rf {

#pragma pack(push, 1)
struct BlockQ8_1 {
  static constexpr int kElements = 32;
  uint16_t d;     ///< F16 scale
  uint16_t s;     ///< F16 of d * sum of the quants; the values do not depend on it
  int8_t qs[32];  ///< quants
};
#pragma pack(pop)
static_assert(sizeof(BlockQ8_1) == 36);

/// w = d * q
RF_SHARED_INLINE void Unpack(const BlockQ8_1& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(block.qs[j]);
}

/// d = max|x| / 127 (the F32 value scales the quants and the sum), q = round half away from zero.
RF_SHARED_INLINE void Pack(const float* values, BlockQ8_1* out) {
  const float d = LargestMagnitude(values, 32) / 127.0f;
  const float inverse = InverseOrZero(d);
  int sum = 0;
  for (int j = 0; j < 32; ++j) {
    out->qs[j] = static_cast<int8_t>(RoundQuant(values[j] * inverse));
    sum += out->qs[j];
  }
  out->d = FloatToHalf(d);
  out->s = FloatToHalf(static_cast<float>(sum) * d);
}

}  // namespace rf
