// Bytes as weights on AVX2. See matmul_bytes.h for what each function does.
#pragma once

#include "cpu/kernels/matmul_bytes_x86.h"

namespace rf::cpu {
namespace {

/// As StoreQuads leaves them.
struct Quads {
  __m256i upper, lower;
};

RF_LANES_INLINE Quads LoadQuads(const uint8_t* p) {
  const auto* v = reinterpret_cast<const __m256i*>(p);
  return {_mm256_loadu_si256(v), _mm256_loadu_si256(v + 1)};
}
RF_LANES_INLINE __m256i QuadProductsOfRow(__m256i w, const Quads& x) {
#if defined(__AVXVNNI__)
  const __m256i upper =
      _mm256_dpbusd_avx_epi32(_mm256_setzero_si256(), _mm256_abs_epi8(w), _mm256_sign_epi8(x.upper, w));
  return _mm256_dpbusd_avx_epi32(_mm256_slli_epi32(upper, 8), x.lower, w);
#else
  const __m256i upper = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x.upper, w));
  const __m256i lower = _mm256_maddubs_epi16(x.lower, w);
  return _mm256_add_epi32(_mm256_madd_epi16(upper, _mm256_set1_epi16(256)),
                          _mm256_madd_epi16(lower, _mm256_set1_epi16(1)));
#endif
}
RF_LANES_INLINE Ints QuadProducts(Ints w, const Quads& x) {
  return {QuadProductsOfRow(w.lo, x), QuadProductsOfRow(w.hi, x)};
}
RF_LANES_INLINE Ints AddNeighbours(Ints a, Ints b) {
  return {_mm256_hadd_epi32(a.lo, b.lo), _mm256_hadd_epi32(a.hi, b.hi)};
}
RF_LANES_INLINE Ints FirstHalves(Ints a, Ints b) {
  return {_mm256_permute2x128_si256(a.lo, a.hi, 0x20), _mm256_permute2x128_si256(b.lo, b.hi, 0x20)};
}
RF_LANES_INLINE Ints SecondHalves(Ints a, Ints b) {
  return {_mm256_permute2x128_si256(a.lo, a.hi, 0x31), _mm256_permute2x128_si256(b.lo, b.hi, 0x31)};
}
RF_LANES_INLINE void TransposeRow(__m256i& a, __m256i& b, __m256i& c, __m256i& d) {
  const __m256i ab_low = _mm256_unpacklo_epi32(a, b);
  const __m256i ab_high = _mm256_unpackhi_epi32(a, b);
  const __m256i cd_low = _mm256_unpacklo_epi32(c, d);
  const __m256i cd_high = _mm256_unpackhi_epi32(c, d);
  a = _mm256_unpacklo_epi64(ab_low, cd_low);
  b = _mm256_unpackhi_epi64(ab_low, cd_low);
  c = _mm256_unpacklo_epi64(ab_high, cd_high);
  d = _mm256_unpackhi_epi64(ab_high, cd_high);
}
RF_LANES_INLINE void Transpose(Ints (&v)[4]) {
  TransposeRow(v[0].lo, v[1].lo, v[2].lo, v[3].lo);
  TransposeRow(v[0].hi, v[1].hi, v[2].hi, v[3].hi);
}
RF_LANES_INLINE __m256i SignedBytePairOfRow(__m256i word, bool odd) {
  return _mm256_srai_epi16(odd ? word : _mm256_slli_epi16(word, 8), 8);
}
RF_LANES_INLINE Ints SignedBytePair(Ints word, bool odd) {
  return {SignedBytePairOfRow(word.lo, odd), SignedBytePairOfRow(word.hi, odd)};
}

RF_LANES_INLINE void StoreSigned(__m256i bytes, uint32_t signs, uint8_t* out) {
  const __m256i byte_of = _mm256_set_epi64x(0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0);
  const __m256i bit_of = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201u));
  const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int32_t>(signs)), byte_of);
  const __m256i negative = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit_of), bit_of);
  StoreBytes(_mm256_sub_epi8(_mm256_xor_si256(bytes, negative), negative), out);
}

}  // namespace
}  // namespace rf::cpu
