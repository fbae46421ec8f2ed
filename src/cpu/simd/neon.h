// Vec for NEON, as every 64-bit Arm processor has it: four floats. Included by simd/vec.h only.
#pragma once

#include <arm_neon.h>

#include <cstdint>

#include "base/half.h"

namespace rf::cpu {
namespace {

inline constexpr int kLanes = 4;
typedef float Vec __attribute__((vector_size(16)));
typedef int32_t IntVec __attribute__((vector_size(16)));

[[maybe_unused]] static inline Vec Select(IntVec condition, Vec a, Vec b) {
  return vbslq_f32(vreinterpretq_u32_s32(condition), a, b);
}
/// The larger one; b where one of them is NaN, which FMAX and FMAXNM do not give. Min alike.
[[maybe_unused]] static inline Vec Max(Vec a, Vec b) {
  return vbslq_f32(vcgtq_f32(a, b), a, b);
}
[[maybe_unused]] static inline Vec Min(Vec a, Vec b) {
  return vbslq_f32(vcltq_f32(a, b), a, b);
}
/// a * b + c, rounded once.
[[maybe_unused]] static inline Vec FusedMultiplyAdd(Vec a, Vec b, Vec c) {
  return vfmaq_f32(c, a, b);
}
/// What `product`, a * b rounded, lacks.
[[maybe_unused]] static inline Vec ProductError(Vec a, Vec b, Vec product) {
  return vfmaq_f32(vnegq_f32(product), a, b);
}
/// To the nearest integer, ties to even.
[[maybe_unused]] static inline Vec Round(Vec x) {
  return vrndnq_f32(x);
}
[[maybe_unused]] static inline void HalfsToFloats(const uint16_t* from, float* to, int64_t n) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) vst1q_f32(to + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from + i))));
  for (; i < n; ++i) to[i] = HalfToFloat(from[i]);
}
[[maybe_unused]] static inline void FloatsToHalfs(const float* from, uint16_t* to, int64_t n) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) vst1_u16(to + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(from + i))));
  for (; i < n; ++i) to[i] = FloatToHalf(from[i]);
}

}  // namespace
}  // namespace rf::cpu
