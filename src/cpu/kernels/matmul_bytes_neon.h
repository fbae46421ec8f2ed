// Bytes as weights on NEON. See matmul_bytes.h for what each function does.
#pragma once

#include "cpu/kernels/matmul_lanes.h"

namespace rf::cpu {
namespace {

/// An activation is 256 * upper + lower, both signed bytes: |q| <= 127 * 256 (matmul_activations.h).
struct Quads {
  int8x16_t upper[2], lower[2];
};

inline void StoreQuads(const int32_t* q, uint8_t* out) {
  for (int i = 0; i < 32; ++i) {
    const int32_t upper = (q[i] + 128) >> 8;
    out[i] = static_cast<uint8_t>(upper);
    out[32 + i] = static_cast<uint8_t>(q[i] - 256 * upper);
  }
}
RF_LANES_INLINE Quads LoadQuads(const uint8_t* p) {
  const auto* bytes = reinterpret_cast<const int8_t*>(p);
  return {{vld1q_s8(bytes), vld1q_s8(bytes + 16)}, {vld1q_s8(bytes + 32), vld1q_s8(bytes + 48)}};
}
/// Of each lane of four bytes: the sum of the products, at most 4 * 64 * 128.
RF_LANES_INLINE int32x4_t QuadDots(int8x16_t w, int8x16_t x, int32x4_t sum) {
#if defined(__ARM_FEATURE_DOTPROD)
  return vdotq_s32(sum, w, x);
#else
  const int16x8_t low = vmull_s8(vget_low_s8(w), vget_low_s8(x));
  const int16x8_t high = vmull_high_s8(w, x);
  return vpadalq_s16(sum, vpaddq_s16(low, high));
#endif
}
RF_LANES_INLINE Ints QuadProducts(Ints w, const Quads& x) {
  return ForQuarters<Ints>([&](int i) {
    const int8x16_t bytes = vreinterpretq_s8_s32(w.v[i]);
    const int32x4_t upper = QuadDots(bytes, x.upper[i % 2], vdupq_n_s32(0));
    return QuadDots(bytes, x.lower[i % 2], vshlq_n_s32(upper, 8));
  });
}
RF_LANES_INLINE Ints AddNeighbours(Ints a, Ints b) {
  return ForQuarters<Ints>([&](int i) { return vpaddq_s32(a.v[i], b.v[i]); });
}
RF_LANES_INLINE Ints FirstHalves(Ints a, Ints b) {
  return {{a.v[0], a.v[2], b.v[0], b.v[2]}};
}
RF_LANES_INLINE Ints SecondHalves(Ints a, Ints b) {
  return {{a.v[1], a.v[3], b.v[1], b.v[3]}};
}
RF_LANES_INLINE int32x4_t JoinHalves(int32x4_t low, int32x4_t high) {
  return vcombine_s32(vget_low_s32(low), vget_low_s32(high));
}
RF_LANES_INLINE int32x4_t JoinUpperHalves(int32x4_t low, int32x4_t high) {
  return vcombine_s32(vget_high_s32(low), vget_high_s32(high));
}
RF_LANES_INLINE void Transpose(Ints (&v)[4]) {
  for (int i = 0; i < kQuarters; ++i) {
    const int32x4_t ab_even = vtrn1q_s32(v[0].v[i], v[1].v[i]);
    const int32x4_t ab_odd = vtrn2q_s32(v[0].v[i], v[1].v[i]);
    const int32x4_t cd_even = vtrn1q_s32(v[2].v[i], v[3].v[i]);
    const int32x4_t cd_odd = vtrn2q_s32(v[2].v[i], v[3].v[i]);
    v[0].v[i] = JoinHalves(ab_even, cd_even);
    v[1].v[i] = JoinHalves(ab_odd, cd_odd);
    v[2].v[i] = JoinUpperHalves(ab_even, cd_even);
    v[3].v[i] = JoinUpperHalves(ab_odd, cd_odd);
  }
}
RF_LANES_INLINE Ints SignedBytePair(Ints word, bool odd) {
  return ForQuarters<Ints>([&](int i) {
    const int16x8_t halves = vreinterpretq_s16_s32(word.v[i]);
    return vreinterpretq_s32_s16(vshrq_n_s16(odd ? halves : vshlq_n_s16(halves, 8), 8));
  });
}

struct JoinedBytes {
  uint8x16_t half[2];
};
template <typename Word, int kWords>
RF_LANES_INLINE JoinedBytes Join(const Word (&words)[kWords]) {
  static_assert(sizeof(words) == 32);
  JoinedBytes joined;
  memcpy(joined.half, words, sizeof(words));
  return joined;
}
RF_LANES_INLINE void StoreSigned(const JoinedBytes& bytes, uint32_t signs, uint8_t* out) {
  const uint8x8_t bit_of = vcreate_u8(0x8040201008040201u);
  for (int i = 0; i < 2; ++i) {
    const uint8x8_t first = vdup_n_u8(static_cast<uint8_t>(signs >> (16 * i)));
    const uint8x8_t second = vdup_n_u8(static_cast<uint8_t>(signs >> (16 * i + 8)));
    const uint8x16_t negative = vtstq_u8(vcombine_u8(first, second), vcombine_u8(bit_of, bit_of));
    vst1q_u8(out + 16 * i, vsubq_u8(veorq_u8(bytes.half[i], negative), negative));
  }
}
RF_LANES_INLINE void StoreUnbiased(const JoinedBytes& bytes, uint8_t* out) {
  for (int i = 0; i < 2; ++i) vst1q_u8(out + 16 * i, veorq_u8(bytes.half[i], vdupq_n_u8(0x80)));
}

}  // namespace
}  // namespace rf::cpu
