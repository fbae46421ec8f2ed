// What the packers share. All of it is defined for every input: a NaN or an infinity in a block gives some bytes, never
// undefined behaviour (docs/quant/README.md says which).
#pragma once

#include <cstdint>

#include "base/portable.h"

namespace rf {

RF_SHARED_INLINE float Magnitude(float value) {
  return value < 0 ? -value : value;
}

/// The value of largest magnitude with its sign, the first of equals; 0 if all are zero.
RF_SHARED_INLINE float Extreme(const float* values, int n) {
  float largest = 0.0f;
  float extreme = 0.0f;
  for (int j = 0; j < n; ++j) {
    const float magnitude = Magnitude(values[j]);
    if (magnitude > largest) {
      largest = magnitude;
      extreme = values[j];
    }
  }
  return extreme;
}

RF_SHARED_INLINE float LargestMagnitude(const float* values, int n) {
  float largest = 0.0f;
  for (int j = 0; j < n; ++j) {
    const float magnitude = Magnitude(values[j]);
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}

/// 1 / d, or 0 for 0.
RF_SHARED_INLINE float InverseOrZero(float d) {
  return d != 0.0f ? 1.0f / d : 0.0f;
}

/// The value, or 0 for what no quant can be (NaN, an infinity, 2^30 and more). That 0 is also what ggml's reference
/// gets on x86 where a scale's inverse overflows, so that blocks of tiny numbers are identical too.
RF_SHARED_INLINE float QuantOrZero(float value) {
  constexpr float kLimit = 1073741824.0f;
  return value > -kLimit && value < kLimit ? value : 0.0f;
}

/// Towards zero.
RF_SHARED_INLINE int TruncateQuant(float value) {
  return static_cast<int>(QuantOrZero(value));
}

/// To the nearest integer, halves away from zero.
RF_SHARED_INLINE int RoundQuant(float value) {
  const float quant = QuantOrZero(value);
  const int whole = static_cast<int>(quant);
  const float rest = quant - static_cast<float>(whole);  // exact
  return whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
}

/// Two quants of 32 in a byte: j low, j + 16 high.
RF_SHARED_INLINE uint8_t PairOfNibbles(int low, int high) {
  return static_cast<uint8_t>((low & 0xf) | (high & 0xf) << 4);
}

/// Quants of five bits: the low four as pairs of nibbles, the fifth of quant j in bit j of the little-endian word qh.
RF_SHARED_INLINE void StoreFiveBits(const uint8_t quants[32], uint8_t qh[4], uint8_t qs[16]) {
  uint32_t high = 0;
  for (int j = 0; j < 32; ++j) high |= static_cast<uint32_t>(quants[j] >> 4) << j;
  for (int byte = 0; byte < 4; ++byte) qh[byte] = static_cast<uint8_t>(high >> (8 * byte));
  for (int j = 0; j < 16; ++j) qs[j] = PairOfNibbles(quants[j], quants[j + 16]);
}

/// Smallest and largest of n values; neither is ever a NaN.
struct ValueRange {
  float minimum;
  float maximum;
};
RF_SHARED_INLINE ValueRange RangeOf(const float* values, int n) {
  ValueRange range{3.402823466e38f, -3.402823466e38f};
  for (int j = 0; j < n; ++j) {
    if (values[j] < range.minimum) range.minimum = values[j];
    if (values[j] > range.maximum) range.maximum = values[j];
  }
  return range;
}

}  // namespace rf
