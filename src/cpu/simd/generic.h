// Vec for any machine: four floats, in whatever registers the compiler has. Included by simd/vec.h only.
#pragma once

#include <cmath>
#include <cstdint>

#include "base/half.h"

namespace rf::cpu {
namespace {

inline constexpr int kLanes = 4;
typedef float Vec __attribute__((vector_size(16)));
typedef int32_t IntVec __attribute__((vector_size(16)));

[[maybe_unused]] static inline Vec Select(IntVec condition, Vec a, Vec b) {
  return condition ? a : b;
}
/// The larger one; b where one of them is NaN. Min alike.
[[maybe_unused]] static inline Vec Max(Vec a, Vec b) {
  return a > b ? a : b;
}
[[maybe_unused]] static inline Vec Min(Vec a, Vec b) {
  return a < b ? a : b;
}
/// a * b + c; this instruction set rounds twice.
[[maybe_unused]] static inline Vec FusedMultiplyAdd(Vec a, Vec b, Vec c) {
  return a * b + c;
}
/// What `product`, a * b rounded, lacks: from products of halves of the numbers, which are exact (Dekker). For
/// magnitudes up to 2^60.
[[maybe_unused]] static inline Vec ProductError(Vec a, Vec b, Vec product) {
  const Vec a_shifted = a * 4097.0f;
  const Vec b_shifted = b * 4097.0f;
  const Vec a_high = a_shifted - (a_shifted - a);
  const Vec b_high = b_shifted - (b_shifted - b);
  const Vec a_low = a - a_high;
  const Vec b_low = b - b_high;
  return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
}
/// To the nearest integer, ties to even, for |x| < 2^22.
[[maybe_unused]] static inline Vec Round(Vec x) {
  const Vec magic = Vec{} + 12582912.0f;
  return (x + magic) - magic;
}
[[maybe_unused]] static inline void HalfsToFloats(const uint16_t* from, float* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = HalfToFloat(from[i]);
}
[[maybe_unused]] static inline void FloatsToHalfs(const float* from, uint16_t* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = FloatToHalf(from[i]);
}

}  // namespace
}  // namespace rf::cpu
