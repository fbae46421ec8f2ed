// 16 lanes on NEON: four 128-bit registers. See matmul_lanes.h for what each function does.
#pragma once

#include <arm_neon.h>

#include <cstdint>
#include <cstring>

#define RF_LANES_INLINE [[gnu::always_inline]] inline

namespace rf::cpu {
namespace {

inline constexpr int kQuarters = 4;

struct Ints {
  int32x4_t v[kQuarters];
};
struct Floats {
  float32x4_t v[kQuarters];
};
/// 16 bytes for TableLookup.
using Table = uint8x16_t;

inline constexpr int kTileTokens = 4;
inline constexpr const char* kLanesName = "neon";

/// Ints or Floats, quarter by quarter.
template <typename Lanes, typename MakeQuarter>
RF_LANES_INLINE Lanes ForQuarters(MakeQuarter make) {
  return {{make(0), make(1), make(2), make(3)}};
}

RF_LANES_INLINE Ints ZeroInts() {
  return ForQuarters<Ints>([](int) { return vdupq_n_s32(0); });
}
RF_LANES_INLINE Ints LoadInts(const void* p) {
  Ints a;
  memcpy(a.v, p, sizeof(a.v));
  return a;
}
RF_LANES_INLINE void StoreInts(void* p, Ints a) {
  memcpy(p, a.v, sizeof(a.v));
}
RF_LANES_INLINE Ints SplatInt(int32_t value) {
  return ForQuarters<Ints>([&](int) { return vdupq_n_s32(value); });
}
RF_LANES_INLINE Ints And(Ints a, uint32_t mask) {
  return ForQuarters<Ints>([&](int i) { return vandq_s32(a.v[i], vreinterpretq_s32_u32(vdupq_n_u32(mask))); });
}
RF_LANES_INLINE Ints Or(Ints a, Ints b) {
  return ForQuarters<Ints>([&](int i) { return vorrq_s32(a.v[i], b.v[i]); });
}
RF_LANES_INLINE Ints Xor(Ints a, Ints b) {
  return ForQuarters<Ints>([&](int i) { return veorq_s32(a.v[i], b.v[i]); });
}
RF_LANES_INLINE Ints Add(Ints a, Ints b) {
  return ForQuarters<Ints>([&](int i) { return vaddq_s32(a.v[i], b.v[i]); });
}
RF_LANES_INLINE Ints ShiftRight(Ints a, int bits) {
  return ForQuarters<Ints>(
      [&](int i) { return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a.v[i]), vdupq_n_s32(-bits))); });
}
RF_LANES_INLINE Ints ShiftLeft(Ints a, int bits) {
  return ForQuarters<Ints>([&](int i) { return vshlq_s32(a.v[i], vdupq_n_s32(bits)); });
}
RF_LANES_INLINE Ints ShiftRight8In16(Ints a) {
  return ForQuarters<Ints>([&](int i) { return vreinterpretq_s32_u16(vshrq_n_u16(vreinterpretq_u16_s32(a.v[i]), 8)); });
}
RF_LANES_INLINE Ints Subtract16(Ints a, int16_t value) {
  return ForQuarters<Ints>(
      [&](int i) { return vreinterpretq_s32_s16(vsubq_s16(vreinterpretq_s16_s32(a.v[i]), vdupq_n_s16(value))); });
}
/// The pairs' first and second numbers are brought together, which the compiler does once for a tile's tokens; then
/// each SMLAL adds the products of four lanes.
RF_LANES_INLINE Ints AddPairProducts(Ints sum, Ints a, Ints b) {
  for (int i = 0; i < kQuarters; i += 2) {
    const int16x8_t a0 = vreinterpretq_s16_s32(a.v[i]);
    const int16x8_t a1 = vreinterpretq_s16_s32(a.v[i + 1]);
    const int16x8_t b0 = vreinterpretq_s16_s32(b.v[i]);
    const int16x8_t b1 = vreinterpretq_s16_s32(b.v[i + 1]);
    const int16x8_t a_first = vuzp1q_s16(a0, a1);
    const int16x8_t a_second = vuzp2q_s16(a0, a1);
    const int16x8_t b_first = vuzp1q_s16(b0, b1);
    const int16x8_t b_second = vuzp2q_s16(b0, b1);
    sum.v[i] = vmlal_s16(sum.v[i], vget_low_s16(a_first), vget_low_s16(b_first));
    sum.v[i + 1] = vmlal_high_s16(sum.v[i + 1], a_first, b_first);
    sum.v[i] = vmlal_s16(sum.v[i], vget_low_s16(a_second), vget_low_s16(b_second));
    sum.v[i + 1] = vmlal_high_s16(sum.v[i + 1], a_second, b_second);
  }
  return sum;
}
RF_LANES_INLINE Table LoadTable(const uint8_t* bytes16) {
  return vld1q_u8(bytes16);
}
RF_LANES_INLINE Ints TableLookup(Table table, Ints index_bytes) {
  return ForQuarters<Ints>(
      [&](int i) { return vreinterpretq_s32_u8(vqtbl1q_u8(table, vreinterpretq_u8_s32(index_bytes.v[i]))); });
}

RF_LANES_INLINE Floats ZeroFloats() {
  return ForQuarters<Floats>([](int) { return vdupq_n_f32(0.0f); });
}
RF_LANES_INLINE Floats LoadFloats(const void* p) {
  Floats a;
  memcpy(a.v, p, sizeof(a.v));
  return a;
}
RF_LANES_INLINE void StoreFloats(float* p, Floats a) {
  memcpy(p, a.v, sizeof(a.v));
}
RF_LANES_INLINE Floats SplatFloat(float value) {
  return ForQuarters<Floats>([&](int) { return vdupq_n_f32(value); });
}
RF_LANES_INLINE Floats Add(Floats a, Floats b) {
  return ForQuarters<Floats>([&](int i) { return vaddq_f32(a.v[i], b.v[i]); });
}
RF_LANES_INLINE Floats Multiply(Floats a, Floats b) {
  return ForQuarters<Floats>([&](int i) { return vmulq_f32(a.v[i], b.v[i]); });
}
RF_LANES_INLINE Floats MultiplyAdd(Floats a, Floats b, Floats c) {
  return ForQuarters<Floats>([&](int i) { return vfmaq_f32(c.v[i], a.v[i], b.v[i]); });
}
RF_LANES_INLINE Floats Negate(Floats a) {
  return ForQuarters<Floats>([&](int i) { return vnegq_f32(a.v[i]); });
}
RF_LANES_INLINE Floats ToFloats(Ints a) {
  return ForQuarters<Floats>([&](int i) { return vcvtq_f32_s32(a.v[i]); });
}
RF_LANES_INLINE Floats BitsToFloats(Ints a) {
  return ForQuarters<Floats>([&](int i) { return vreinterpretq_f32_s32(a.v[i]); });
}
RF_LANES_INLINE Floats LoadHalfs(const void* p) {
  const auto* halfs = static_cast<const uint8_t*>(p);
  return ForQuarters<Floats>([&](int i) { return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(halfs + 8 * i))); });
}
RF_LANES_INLINE Ints LoadUnsigned16(const void* p) {
  const auto* numbers = static_cast<const uint8_t*>(p);
  return ForQuarters<Ints>(
      [&](int i) { return vreinterpretq_s32_u32(vmovl_u16(vreinterpret_u16_u8(vld1_u8(numbers + 8 * i)))); });
}
RF_LANES_INLINE Ints LoadUnsigned8(const void* p) {
  const uint8x16_t bytes = vld1q_u8(static_cast<const uint8_t*>(p));
  const uint16x8_t low = vmovl_u8(vget_low_u8(bytes));
  const uint16x8_t high = vmovl_high_u8(bytes);
  return {{vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(low))), vreinterpretq_s32_u32(vmovl_high_u16(low)),
           vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(high))), vreinterpretq_s32_u32(vmovl_high_u16(high))}};
}
RF_LANES_INLINE Ints LoadSigned8(const void* p) {
  const int8x16_t bytes = vld1q_s8(static_cast<const int8_t*>(p));
  const int16x8_t low = vmovl_s8(vget_low_s8(bytes));
  const int16x8_t high = vmovl_high_s8(bytes);
  return {{vmovl_s16(vget_low_s16(low)), vmovl_high_s16(low), vmovl_s16(vget_low_s16(high)), vmovl_high_s16(high)}};
}

}  // namespace
}  // namespace rf::cpu
