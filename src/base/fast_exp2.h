// 2^x for whole vocabularies: plain arithmetic that compilers turn into vector instructions, and that gives the same
// bits on CPUs and GPUs. REQUIRES: a compiler that fuses no products and sums (-ffp-contract=off).
#pragma once

#include <cstdint>

#include "base/half.h"

namespace rf {

/// x for -127 <= x <= 0; -127 below, and for NaN. Without branches.
RF_SHARED_INLINE float ClampExponent(float x) {
  // Clamped as a whole number: the bits of negative floats grow with their magnitude, and NaN's are beyond all. A
  // comparison of floats may trap, which keeps compilers from using vectors.
  constexpr auto kLowest = static_cast<int32_t>(0xc2fe0000u);  // the bits of -127
  const auto bits = static_cast<int32_t>(FloatToBits(x) | 0x80000000u);
  return BitsToFloat(static_cast<uint32_t>(bits < kLowest ? bits : kLowest));
}

/// 2^x = 2^rest * power with |rest| <= 1/2; the power is one of two, or 0 instead of 2^-127.
struct SplitExp2 {
  float rest;
  float power;
};

/// REQUIRES: -127 <= x <= 0. Apart from Exp2Of so that loops can be two: a processor looks ahead too few instructions
/// to keep its units busy with chains as long as both together.
RF_SHARED_INLINE SplitExp2 SplitExponent(float x) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number, in the low bits
  const float shifted = x + kRound;
  const uint32_t exponent = (FloatToBits(shifted) + 127u) << 23;  // kRound's own bits are shifted out
  return {x - (shifted - kRound), BitsToFloat(exponent)};
}

/// The product. The polynomial is the one with the least largest relative error on [-1/2, 1/2] among those of degree 6
/// that are 1 at 0 (Remez's algorithm), 2e-8 with its coefficients in F32.
RF_SHARED_INLINE float Exp2Of(SplitExp2 split) {
  const float r = split.rest;
  const float squared = r * r;
  // In pairs, which do not wait for each other (Estrin 1960).
  const float high = (0.00961769279f + r * 0.00134066434f) + squared * 0.000155946778f;
  const float low = 0.240226522f + r * 0.0555031039f;
  return (1.0f + (r * 0.693147242f + squared * (low + squared * high))) * split.power;
}

/// 2^x for x <= 0; exactly 0 below -126.5, and for NaN. Relative error below 2e-7 for x >= -126.
RF_SHARED_INLINE float FastExp2(float x) {
  return Exp2Of(SplitExponent(ClampExponent(x)));
}

}  // namespace rf
