// Q8_K: 256 numbers, one F32 scale, and the sums of each 16 quants; an intermediate format. Layout: docs/quant/q8_k.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/pack_util.h"

namespace rf {

#pragma pack(push, 1)
struct BlockQ8_K {
  static constexpr int kElements = 256;
  float d;            ///< F32 scale
  int8_t qs[256];     ///< quants
  int16_t bsums[16];  ///< sum of the quants of each 16; the values do not depend on them
};
#pragma pack(pop)
static_assert(sizeof(BlockQ8_K) == 292);

/// w = d * q
RF_SHARED_INLINE void Unpack(const BlockQ8_K& block, float* out) {
  for (int j = 0; j < 256; ++j) out[j] = block.d * static_cast<float>(block.qs[j]);
}

/// To the nearest integer, halves to even, for |value| <= 2^22: adding 1.5 * 2^23 leaves it in the mantissa.
RF_SHARED_INLINE int RoundQuantToEven(float value) {
  constexpr float kShift = 12582912.0f;
  const float safe = value > -4194304.0f && value < 4194304.0f ? value : 0.0f;
  return static_cast<int>(FloatToBits(safe + kShift) & 0x7fffffu) - 0x400000;
}

/// With x the value of largest magnitude (its sign kept): q = round to even(-127 / x * value), d = 1 / (-127 / x).
RF_SHARED_INLINE void Pack(const float* values, BlockQ8_K* out) {
  const float extreme = Extreme(values, 256);
  const float inverse = extreme != 0.0f ? -127.0f / extreme : 0.0f;
  out->d = extreme != 0.0f ? 1.0f / inverse : 0.0f;
  for (int group = 0; group < 16; ++group) {
    int sum = 0;
    for (int j = group * 16; j < group * 16 + 16; ++j) {
      const int q = RoundQuantToEven(inverse * values[j]);
      out->qs[j] = static_cast<int8_t>(q < 127 ? q : 127);
      sum += out->qs[j];
    }
    out->bsums[group] = static_cast<int16_t>(sum);
  }
}

}  // namespace rf
