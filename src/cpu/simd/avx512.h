// Vec for AVX-512 (F, BW, DQ, VL): sixteen floats. Included by simd/vec.h only.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "base/half.h"

namespace rf::cpu {
namespace {

inline constexpr int kLanes = 16;
typedef float Vec __attribute__((vector_size(64)));
typedef int32_t IntVec __attribute__((vector_size(64)));

[[maybe_unused]] static inline Vec Select(IntVec condition, Vec a, Vec b) {
  return _mm512_mask_blend_ps(_mm512_movepi32_mask(reinterpret_cast<__m512i>(condition)), b, a);
}
/// The larger one; b where one of them is NaN. Min alike.
[[maybe_unused]] static inline Vec Max(Vec a, Vec b) {
  return _mm512_max_ps(a, b);
}
[[maybe_unused]] static inline Vec Min(Vec a, Vec b) {
  return _mm512_min_ps(a, b);
}
/// a * b + c, rounded once.
[[maybe_unused]] static inline Vec FusedMultiplyAdd(Vec a, Vec b, Vec c) {
  return _mm512_fmadd_ps(a, b, c);
}
/// What `product`, a * b rounded, lacks.
[[maybe_unused]] static inline Vec ProductError(Vec a, Vec b, Vec product) {
  return _mm512_fmsub_ps(a, b, product);
}
/// To the nearest integer, ties to even.
[[maybe_unused]] static inline Vec Round(Vec x) {
  return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
[[maybe_unused]] static inline void HalfsToFloats(const uint16_t* from, float* to, int64_t n) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    _mm512_storeu_ps(to + i, _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i))));
  }
  for (; i < n; ++i) to[i] = HalfToFloat(from[i]);
}
[[maybe_unused]] static inline void FloatsToHalfs(const float* from, uint16_t* to, int64_t n) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i),
                        _mm512_cvtps_ph(_mm512_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
  }
  for (; i < n; ++i) to[i] = FloatToHalf(from[i]);
}

}  // namespace
}  // namespace rf::cpu
