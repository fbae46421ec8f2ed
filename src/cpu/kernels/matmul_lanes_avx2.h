// 16 lanes on AVX2 + FMA + F16C (AVX-VNNI where the build has it): two 256-bit registers. See matmul_lanes.h for what
// each function does.
#pragma once

#include <immintrin.h>

#include <cstdint>

#define RF_LANES_INLINE [[gnu::always_inline]] inline

namespace rf::cpu {
namespace {

struct Ints {
  __m256i lo, hi;
};
struct Floats {
  __m256 lo, hi;
};
/// 16 bytes for TableLookup.
using Table = __m256i;

inline constexpr int kTileTokens = 4;
inline constexpr const char* kLanesName = "avx2";

RF_LANES_INLINE Ints ZeroInts() {
  return {_mm256_setzero_si256(), _mm256_setzero_si256()};
}
RF_LANES_INLINE Ints LoadInts(const void* p) {
  const auto* v = static_cast<const __m256i*>(p);
  return {_mm256_loadu_si256(v), _mm256_loadu_si256(v + 1)};
}
RF_LANES_INLINE void StoreInts(void* p, Ints a) {
  auto* v = static_cast<__m256i*>(p);
  _mm256_storeu_si256(v, a.lo);
  _mm256_storeu_si256(v + 1, a.hi);
}
RF_LANES_INLINE Ints SplatInt(int32_t value) {
  const __m256i v = _mm256_set1_epi32(value);
  return {v, v};
}
RF_LANES_INLINE Ints And(Ints a, uint32_t mask) {
  const __m256i m = _mm256_set1_epi32(static_cast<int32_t>(mask));
  return {_mm256_and_si256(a.lo, m), _mm256_and_si256(a.hi, m)};
}
RF_LANES_INLINE Ints Or(Ints a, Ints b) {
  return {_mm256_or_si256(a.lo, b.lo), _mm256_or_si256(a.hi, b.hi)};
}
RF_LANES_INLINE Ints Xor(Ints a, Ints b) {
  return {_mm256_xor_si256(a.lo, b.lo), _mm256_xor_si256(a.hi, b.hi)};
}
RF_LANES_INLINE Ints Add(Ints a, Ints b) {
  return {_mm256_add_epi32(a.lo, b.lo), _mm256_add_epi32(a.hi, b.hi)};
}
RF_LANES_INLINE Ints ShiftRight(Ints a, int bits) {
  return {_mm256_srli_epi32(a.lo, bits), _mm256_srli_epi32(a.hi, bits)};
}
RF_LANES_INLINE Ints ShiftLeft(Ints a, int bits) {
  return {_mm256_slli_epi32(a.lo, bits), _mm256_slli_epi32(a.hi, bits)};
}
RF_LANES_INLINE Ints ShiftRight8In16(Ints a) {
  return {_mm256_srli_epi16(a.lo, 8), _mm256_srli_epi16(a.hi, 8)};
}
RF_LANES_INLINE Ints Subtract16(Ints a, int16_t value) {
  const __m256i v = _mm256_set1_epi16(value);
  return {_mm256_sub_epi16(a.lo, v), _mm256_sub_epi16(a.hi, v)};
}
RF_LANES_INLINE Ints AddPairProducts(Ints sum, Ints a, Ints b) {
#if defined(__AVXVNNI__)
  return {_mm256_dpwssd_avx_epi32(sum.lo, a.lo, b.lo), _mm256_dpwssd_avx_epi32(sum.hi, a.hi, b.hi)};
#else
  sum.lo = _mm256_add_epi32(sum.lo, _mm256_madd_epi16(a.lo, b.lo));
  sum.hi = _mm256_add_epi32(sum.hi, _mm256_madd_epi16(a.hi, b.hi));
  // Keeps GCC from computing all products first and spilling them: three times as fast.
  asm("" : "+x"(sum.lo), "+x"(sum.hi));
  return sum;
#endif
}
RF_LANES_INLINE Table LoadTable(const uint8_t* bytes16) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes16)));
}
RF_LANES_INLINE Ints TableLookup(Table table, Ints index_bytes) {
  return {_mm256_shuffle_epi8(table, index_bytes.lo), _mm256_shuffle_epi8(table, index_bytes.hi)};
}

RF_LANES_INLINE Floats ZeroFloats() {
  return {_mm256_setzero_ps(), _mm256_setzero_ps()};
}
RF_LANES_INLINE Floats LoadFloats(const void* p) {
  const auto* v = static_cast<const float*>(p);
  return {_mm256_loadu_ps(v), _mm256_loadu_ps(v + 8)};
}
RF_LANES_INLINE void StoreFloats(float* p, Floats a) {
  _mm256_storeu_ps(p, a.lo);
  _mm256_storeu_ps(p + 8, a.hi);
}
RF_LANES_INLINE Floats SplatFloat(float value) {
  const __m256 v = _mm256_set1_ps(value);
  return {v, v};
}
RF_LANES_INLINE Floats Add(Floats a, Floats b) {
  return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)};
}
RF_LANES_INLINE Floats Multiply(Floats a, Floats b) {
  return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)};
}
RF_LANES_INLINE Floats MultiplyAdd(Floats a, Floats b, Floats c) {
  return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}
RF_LANES_INLINE Floats Negate(Floats a) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_xor_ps(a.lo, sign), _mm256_xor_ps(a.hi, sign)};
}
RF_LANES_INLINE Floats ToFloats(Ints a) {
  return {_mm256_cvtepi32_ps(a.lo), _mm256_cvtepi32_ps(a.hi)};
}
RF_LANES_INLINE Floats BitsToFloats(Ints a) {
  return {_mm256_castsi256_ps(a.lo), _mm256_castsi256_ps(a.hi)};
}
RF_LANES_INLINE Floats LoadHalfs(const void* p) {
  const auto* v = static_cast<const __m128i*>(p);
  return {_mm256_cvtph_ps(_mm_loadu_si128(v)), _mm256_cvtph_ps(_mm_loadu_si128(v + 1))};
}
RF_LANES_INLINE Ints LoadUnsigned16(const void* p) {
  const auto* v = static_cast<const __m128i*>(p);
  return {_mm256_cvtepu16_epi32(_mm_loadu_si128(v)), _mm256_cvtepu16_epi32(_mm_loadu_si128(v + 1))};
}
RF_LANES_INLINE Ints LoadUnsigned8(const void* p) {
  const __m128i v = _mm_loadu_si128(static_cast<const __m128i*>(p));
  return {_mm256_cvtepu8_epi32(v), _mm256_cvtepu8_epi32(_mm_unpackhi_epi64(v, v))};
}
RF_LANES_INLINE Ints LoadSigned8(const void* p) {
  const __m128i v = _mm_loadu_si128(static_cast<const __m128i*>(p));
  return {_mm256_cvtepi8_epi32(v), _mm256_cvtepi8_epi32(_mm_unpackhi_epi64(v, v))};
}

}  // namespace
}  // namespace rf::cpu
