// Bytes as weights on AVX-512. See matmul_bytes.h for what each function does.
#pragma once

#include "cpu/kernels/matmul_bytes_x86.h"

namespace rf::cpu {
namespace {

/// As StoreQuads leaves them; both halves hold the same 32.
struct Quads {
  __m512i upper, lower;
};

RF_LANES_INLINE __m512i LoadTwice(const uint8_t* p) {
  return _mm512_maskz_broadcast_i64x4(0xff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
RF_LANES_INLINE Quads LoadQuads(const uint8_t* p) {
  return {LoadTwice(p), LoadTwice(p + 32)};
}
RF_LANES_INLINE Ints QuadProducts(Ints w, const Quads& x) {
  const __m512i upper_signed = _mm512_mask_sub_epi8(x.upper, _mm512_movepi8_mask(w), _mm512_setzero_si512(), x.upper);
#if defined(__AVX512VNNI__)
  const __m512i upper = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_abs_epi8(w), upper_signed);
  return _mm512_dpbusd_epi32(ShiftLeft(upper, 8), x.lower, w);
#else
  const __m512i upper = _mm512_maddubs_epi16(_mm512_abs_epi8(w), upper_signed);
  const __m512i lower = _mm512_maddubs_epi16(x.lower, w);
  return _mm512_add_epi32(_mm512_madd_epi16(upper, _mm512_set1_epi16(256)),
                          _mm512_madd_epi16(lower, _mm512_set1_epi16(1)));
#endif
}
/// Even words of a, then of b, for each four lanes; with 0xdd the odd ones.
template <int kWhich>
RF_LANES_INLINE Ints EveryOther(Ints a, Ints b) {
  return _mm512_castps_si512(_mm512_maskz_shuffle_ps(0xffff, _mm512_castsi512_ps(a), _mm512_castsi512_ps(b), kWhich));
}
RF_LANES_INLINE Ints AddNeighbours(Ints a, Ints b) {
  return _mm512_add_epi32(EveryOther<0x88>(a, b), EveryOther<0xdd>(a, b));
}
RF_LANES_INLINE Ints FirstHalves(Ints a, Ints b) {
  return _mm512_maskz_shuffle_i32x4(0xffff, a, b, 0x88);
}
RF_LANES_INLINE Ints SecondHalves(Ints a, Ints b) {
  return _mm512_maskz_shuffle_i32x4(0xffff, a, b, 0xdd);
}
RF_LANES_INLINE void Transpose(Ints (&v)[4]) {
  const __m512i ab_low = _mm512_maskz_unpacklo_epi32(0xffff, v[0], v[1]);
  const __m512i ab_high = _mm512_maskz_unpackhi_epi32(0xffff, v[0], v[1]);
  const __m512i cd_low = _mm512_maskz_unpacklo_epi32(0xffff, v[2], v[3]);
  const __m512i cd_high = _mm512_maskz_unpackhi_epi32(0xffff, v[2], v[3]);
  v[0] = _mm512_maskz_unpacklo_epi64(0xff, ab_low, cd_low);
  v[1] = _mm512_maskz_unpackhi_epi64(0xff, ab_low, cd_low);
  v[2] = _mm512_maskz_unpacklo_epi64(0xff, ab_high, cd_high);
  v[3] = _mm512_maskz_unpackhi_epi64(0xff, ab_high, cd_high);
}
RF_LANES_INLINE Ints SignedBytePair(Ints word, bool odd) {
  return _mm512_srai_epi16(odd ? word : _mm512_slli_epi16(word, 8), 8);
}

RF_LANES_INLINE void StoreSigned(__m256i bytes, uint32_t signs, uint8_t* out) {
  StoreBytes(_mm256_mask_sub_epi8(bytes, signs, _mm256_setzero_si256(), bytes), out);
}

}  // namespace
}  // namespace rf::cpu
