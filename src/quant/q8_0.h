// Q8_0: 32 weights, one scale. Layout: docs/quant/q8_0.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/pack_util.h"

namespace rf {

#pragma pack(push, 1)
struct BlockQ8_0 {
  static constexpr int kElements = 32;
  uint16_t d;     ///< F16 scale
  int8_t qs[32];  ///< quants
};
#pragma pack(pop)
static_assert(sizeof(BlockQ8_0) == 34);

/// w = d * q
RF_SHARED_INLINE void Unpack(const BlockQ8_0& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int j = 0; j < 32; ++j) out[j] = d * static_cast<float>(block.qs[j]);
}

/// d = max|x| / 127 as F16 (the F32 value scales the quants), q = round half away from zero, as ggml's reference does.
RF_SHARED_INLINE void Pack(const float* values, BlockQ8_0* out) {
  const float d = LargestMagnitude(values, 32) / 127.0f;
  const float inverse = InverseOrZero(d);
  out->d = FloatToHalf(d);
  for (int j = 0; j < 32; ++j) out->qs[j] = static_cast<int8_t>(RoundQuant(values[j] * inverse));
}

}  // namespace rf
