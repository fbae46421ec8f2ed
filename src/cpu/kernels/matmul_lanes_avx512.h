// 16 lanes on AVX-512 (F, BW, VL, DQ; VNNI where the build has it): one 512-bit register. See matmul_lanes.h.
#pragma once

#include <immintrin.h>

#include <cstdint>

#define RF_LANES_INLINE [[gnu::always_inline]] inline

namespace rf::cpu {
namespace {

using Ints = __m512i;
using Floats = __m512;
using Table = __m512i;

inline constexpr int kTileTokens = 8;
inline constexpr const char* kLanesName = "avx512";

RF_LANES_INLINE Ints ZeroInts() {
  return _mm512_setzero_si512();
}
RF_LANES_INLINE Ints LoadInts(const void* p) {
  return _mm512_loadu_si512(p);
}
RF_LANES_INLINE void StoreInts(void* p, Ints a) {
  _mm512_storeu_si512(p, a);
}
RF_LANES_INLINE Ints SplatInt(int32_t value) {
  return _mm512_set1_epi32(value);
}
RF_LANES_INLINE Ints And(Ints a, uint32_t mask) {
  return _mm512_and_si512(a, _mm512_set1_epi32(static_cast<int32_t>(mask)));
}
RF_LANES_INLINE Ints Or(Ints a, Ints b) {
  return _mm512_or_si512(a, b);
}
RF_LANES_INLINE Ints Xor(Ints a, Ints b) {
  return _mm512_xor_si512(a, b);
}
RF_LANES_INLINE Ints Add(Ints a, Ints b) {
  return _mm512_add_epi32(a, b);
}
RF_LANES_INLINE Ints ShiftRight(Ints a, int bits) {
  return _mm512_maskz_srli_epi32(0xffff, a, static_cast<unsigned>(bits));
}
RF_LANES_INLINE Ints ShiftLeft(Ints a, int bits) {
  return _mm512_maskz_slli_epi32(0xffff, a, static_cast<unsigned>(bits));
}
RF_LANES_INLINE Ints ShiftRight8In16(Ints a) {
  return _mm512_maskz_srli_epi16(0xffffffff, a, 8);
}
RF_LANES_INLINE Ints Subtract16(Ints a, int16_t value) {
  return _mm512_sub_epi16(a, _mm512_set1_epi16(value));
}
RF_LANES_INLINE Ints AddPairProducts(Ints sum, Ints a, Ints b) {
#if defined(__AVX512VNNI__)
  return _mm512_dpwssd_epi32(sum, a, b);
#else
  sum = _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
  asm("" : "+v"(sum));  // keeps GCC from computing all products first and spilling them
  return sum;
#endif
}
RF_LANES_INLINE Table LoadTable(const uint8_t* bytes16) {
  return _mm512_maskz_broadcast_i32x4(0xffff, _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes16)));
}
RF_LANES_INLINE Ints TableLookup(Table table, Ints index_bytes) {
  return _mm512_shuffle_epi8(table, index_bytes);
}

RF_LANES_INLINE Floats ZeroFloats() {
  return _mm512_setzero_ps();
}
RF_LANES_INLINE Floats LoadFloats(const void* p) {
  return _mm512_loadu_ps(p);
}
RF_LANES_INLINE void StoreFloats(float* p, Floats a) {
  _mm512_storeu_ps(p, a);
}
RF_LANES_INLINE Floats SplatFloat(float value) {
  return _mm512_set1_ps(value);
}
RF_LANES_INLINE Floats Add(Floats a, Floats b) {
  return _mm512_add_ps(a, b);
}
RF_LANES_INLINE Floats Multiply(Floats a, Floats b) {
  return _mm512_mul_ps(a, b);
}
RF_LANES_INLINE Floats MultiplyAdd(Floats a, Floats b, Floats c) {
  return _mm512_fmadd_ps(a, b, c);
}
RF_LANES_INLINE Floats Negate(Floats a) {
  return _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a), _mm512_set1_epi32(INT32_MIN)));
}
RF_LANES_INLINE Floats ToFloats(Ints a) {
  return _mm512_maskz_cvtepi32_ps(0xffff, a);
}
RF_LANES_INLINE Floats BitsToFloats(Ints a) {
  return _mm512_castsi512_ps(a);
}
RF_LANES_INLINE Floats LoadHalfs(const void* p) {
  return _mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(static_cast<const __m256i*>(p)));
}
RF_LANES_INLINE Ints LoadUnsigned16(const void* p) {
  return _mm512_maskz_cvtepu16_epi32(0xffff, _mm256_loadu_si256(static_cast<const __m256i*>(p)));
}
RF_LANES_INLINE Ints LoadUnsigned8(const void* p) {
  return _mm512_maskz_cvtepu8_epi32(0xffff, _mm_loadu_si128(static_cast<const __m128i*>(p)));
}
RF_LANES_INLINE Ints LoadSigned8(const void* p) {
  return _mm512_maskz_cvtepi8_epi32(0xffff, _mm_loadu_si128(static_cast<const __m128i*>(p)));
}

}  // namespace
}  // namespace rf::cpu
