// MXFP4: 32 weights in E2M1 with a power of two as scale (OCP MX v1.0). Layout: docs/quant/mxfp4.md.
#pragma once

#include <cstdint>

#include "base/portable.h"
#include "quant/e8m0.h"
#include "quant/fp4.h"
#include "quant/pack_util.h"

namespace rf {

#pragma pack(push, 1)
struct BlockMXFP4 {
  static constexpr int kElements = 32;
  uint8_t e;       ///< E8M0 scale
  uint8_t qs[16];  ///< E2M1 code j in the low nibble of byte j, code j + 16 in its high nibble
};
#pragma pack(pop)
static_assert(sizeof(BlockMXFP4) == 17);

/// w = 2^(e - 128) * kE2M1Doubled[code]
RF_SHARED_INLINE void Unpack(const BlockMXFP4& block, float* out) {
  const float d = E8M0ToHalvedFloat(block.e);
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>(kE2M1Doubled[block.qs[j] & 0xf]);
    out[j + 16] = d * static_cast<float>(kE2M1Doubled[block.qs[j] >> 4]);
  }
}

/// floor(log2(x)) with the logarithm rounded to F32 first, as ggml's reference computes it: just below a power of two
/// the logarithm rounds up to the whole number. x = 2^k (1 - n 2^-24) has log2(x) = k - 1.4427 n 2^-24, which rounds to
/// k while that is less than half of F32's spacing there, p 2^-24 with p the largest power of two of which the
/// logarithm's magnitude is a multiple or more. REQUIRES: x > 0 and finite.
RF_SHARED_INLINE int FloorOfRoundedLog2(float x) {
  const int exponent = FloorLog2(x);
  const int k = exponent + 1;
  const int64_t n = 0x800000 - static_cast<int64_t>(FloatToBits(x) & 0x7fffffu);
  const int whole = k > 0 ? k - 1 : -k;
  if (whole == 0) return exponent;
  int64_t p = 1;
  while (2 * p <= whole) p *= 2;
  return n * 185 < p * 128 ? k : exponent;  // 185 / 128 = 1.4453 decides every n <= 45 as 1.4427 does
}

/// The code whose value times d is nearest to x, the first of equals; 0 for NaN.
RF_SHARED_INLINE int NearestE2M1(float x, float d) {
  int best = 0;
  float best_error = Magnitude(d * static_cast<float>(kE2M1Doubled[0]) - x);
  for (int code = 1; code < 16; ++code) {
    const float error = Magnitude(d * static_cast<float>(kE2M1Doubled[code]) - x);
    if (error < best_error) {
      best = code;
      best_error = error;
    }
  }
  return best;
}

/// e = floor(log2(max|x|)) - 2 + 127 (at least 0; 0 for a block of zeros), codes to the nearest value.
RF_SHARED_INLINE void Pack(const float* values, BlockMXFP4* out) {
  const float largest = LargestMagnitude(values, 32);
  out->e = largest > 0 ? ClampedE8M0(FloorOfRoundedLog2(largest) - 2 + 127) : 0;
  const float d = E8M0ToHalvedFloat(out->e);
  for (int j = 0; j < 16; ++j) {
    out->qs[j] = PairOfNibbles(NearestE2M1(values[j], d), NearestE2M1(values[j + 16], d));
  }
}

}  // namespace rf
