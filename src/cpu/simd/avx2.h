// Vec for AVX2 with FMA and F16C: eight floats. Included by simd/vec.h only.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "base/half.h"

namespace rf::cpu {
namespace {

inline constexpr int kLanes = 8;
typedef float Vec __attribute__((vector_size(32)));
typedef int32_t IntVec __attribute__((vector_size(32)));

[[maybe_unused]] static inline Vec Select(IntVec condition, Vec a, Vec b) {
  return _mm256_blendv_ps(b, a, reinterpret_cast<__m256>(condition));
}
/// The larger one; b where one of them is NaN. Min alike.
[[maybe_unused]] static inline Vec Max(Vec a, Vec b) {
  return _mm256_max_ps(a, b);
}
[[maybe_unused]] static inline Vec Min(Vec a, Vec b) {
  return _mm256_min_ps(a, b);
}
/// a * b + c, rounded once.
[[maybe_unused]] static inline Vec FusedMultiplyAdd(Vec a, Vec b, Vec c) {
  return _mm256_fmadd_ps(a, b, c);
}
/// What `product`, a * b rounded, lacks.
[[maybe_unused]] static inline Vec ProductError(Vec a, Vec b, Vec product) {
  return _mm256_fmsub_ps(a, b, product);
}
/// To the nearest integer, ties to even.
[[maybe_unused]] static inline Vec Round(Vec x) {
  return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
[[maybe_unused]] static inline void HalfsToFloats(const uint16_t* from, float* to, int64_t n) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
  }
  for (; i < n; ++i) to[i] = HalfToFloat(from[i]);
}
[[maybe_unused]] static inline void FloatsToHalfs(const float* from, uint16_t* to, int64_t n) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
  }
  for (; i < n; ++i) to[i] = FloatToHalf(from[i]);
}

}  // namespace
}  // namespace rf::cpu
