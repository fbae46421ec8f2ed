// 16 lanes in plain C++, for any machine: four of the compiler's vectors of 16 bytes, which every machine has in some
// form. See matmul_lanes.h for what each function does.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <cstdint>
#include <cstring>

#include "base/half.h"

#define RF_LANES_INLINE [[gnu::always_inline]] inline

namespace rf::cpu {
namespace {

inline constexpr int kQuarters = 4;
inline constexpr int kQuarterLanes = 4;
inline constexpr int kAllLanes = kQuarters * kQuarterLanes;

struct Ints {
  typedef int32_t Quarter __attribute__((vector_size(16)));
  Quarter v[kQuarters];
};
struct Floats {
  typedef float Quarter __attribute__((vector_size(16)));
  Quarter v[kQuarters];
};
struct Table {
  uint8_t v[16];
};

inline constexpr int kTileTokens = 4;
inline constexpr const char* kLanesName = "generic";

/// Ints or Floats, quarter by quarter.
template <typename Lanes, typename MakeQuarter>
RF_LANES_INLINE Lanes ForQuarters(MakeQuarter make) {
  Lanes lanes;
  for (int i = 0; i < kQuarters; ++i) lanes.v[i] = make(i);
  return lanes;
}

// Called once for a block or less often: inlined, they would only make the tiles long to compile.
#define RF_LANES_CALLED [[gnu::noinline, maybe_unused]] static

/// 16 numbers from memory, each converted.
template <typename Lanes, typename Number, typename Convert>
RF_LANES_INLINE Lanes LoadConverted(const void* p, Convert convert) {
  Number numbers[kAllLanes];
  memcpy(numbers, p, sizeof(numbers));
  return ForQuarters<Lanes>([&](int i) {
    const Number* four = numbers + i * kQuarterLanes;
    return typename Lanes::Quarter{convert(four[0]), convert(four[1]), convert(four[2]), convert(four[3])};
  });
}

RF_LANES_INLINE Ints ZeroInts() {
  return {};
}
RF_LANES_INLINE Ints LoadInts(const void* p) {
  Ints a;
  memcpy(a.v, p, sizeof(a.v));
  return a;
}
RF_LANES_INLINE void StoreInts(void* p, const Ints& a) {
  memcpy(p, a.v, sizeof(a.v));
}
RF_LANES_INLINE Ints SplatInt(int32_t value) {
  return ForQuarters<Ints>([&](int) { return Ints::Quarter{} + value; });
}
RF_LANES_INLINE Ints And(const Ints& a, uint32_t mask) {
  return ForQuarters<Ints>([&](int i) { return a.v[i] & static_cast<int32_t>(mask); });
}
RF_LANES_INLINE Ints Or(const Ints& a, const Ints& b) {
  return ForQuarters<Ints>([&](int i) { return a.v[i] | b.v[i]; });
}
RF_LANES_INLINE Ints Xor(const Ints& a, const Ints& b) {
  return ForQuarters<Ints>([&](int i) { return a.v[i] ^ b.v[i]; });
}
RF_LANES_INLINE Ints Add(const Ints& a, const Ints& b) {
  return ForQuarters<Ints>([&](int i) { return a.v[i] + b.v[i]; });
}
RF_LANES_INLINE Ints ShiftRight(const Ints& a, int bits) {
  typedef uint32_t Unsigned __attribute__((vector_size(16)));
  return ForQuarters<Ints>([&](int i) { return Ints::Quarter(Unsigned(a.v[i]) >> static_cast<uint32_t>(bits)); });
}
RF_LANES_INLINE Ints ShiftLeft(const Ints& a, int bits) {
  return ForQuarters<Ints>([&](int i) { return a.v[i] << bits; });
}
RF_LANES_INLINE Ints ShiftRight8In16(const Ints& a) {
  return And(ShiftRight(a, 8), 0x00ff00ffu);
}
RF_LANES_INLINE Ints Subtract16(const Ints& a, int16_t value) {
  typedef int16_t Halves __attribute__((vector_size(16)));
  return ForQuarters<Ints>([&](int i) { return Ints::Quarter(Halves(a.v[i]) - value); });
}
RF_LANES_INLINE Ints AddPairProducts(const Ints& sum, const Ints& a, const Ints& b) {
  return ForQuarters<Ints>([&](int i) {
#if defined(__SSE2__)
    const __m128i products = _mm_madd_epi16(__m128i(a.v[i]), __m128i(b.v[i]));
    return sum.v[i] + Ints::Quarter(products);
#else
    const Ints::Quarter first = (a.v[i] << 16 >> 16) * (b.v[i] << 16 >> 16);
    return sum.v[i] + first + (a.v[i] >> 16) * (b.v[i] >> 16);
#endif
  });
}
RF_LANES_INLINE Table LoadTable(const uint8_t* bytes16) {
  Table table;
  memcpy(table.v, bytes16, sizeof(table.v));
  return table;
}
RF_LANES_CALLED Ints TableLookup(const Table& table, const Ints& index_bytes) {
  uint8_t bytes[kAllLanes * 4];
  memcpy(bytes, index_bytes.v, sizeof(bytes));
  for (uint8_t& byte : bytes) byte = table.v[byte & 15u];
  return LoadInts(bytes);
}

RF_LANES_INLINE Floats ZeroFloats() {
  return {};
}
RF_LANES_INLINE Floats LoadFloats(const void* p) {
  Floats a;
  memcpy(a.v, p, sizeof(a.v));
  return a;
}
RF_LANES_INLINE void StoreFloats(float* p, const Floats& a) {
  memcpy(p, a.v, sizeof(a.v));
}
RF_LANES_INLINE Floats SplatFloat(float value) {
  return ForQuarters<Floats>([&](int) { return Floats::Quarter{} + value; });
}
RF_LANES_INLINE Floats Add(const Floats& a, const Floats& b) {
  return ForQuarters<Floats>([&](int i) { return a.v[i] + b.v[i]; });
}
RF_LANES_INLINE Floats Multiply(const Floats& a, const Floats& b) {
  return ForQuarters<Floats>([&](int i) { return a.v[i] * b.v[i]; });
}
RF_LANES_INLINE Floats MultiplyAdd(const Floats& a, const Floats& b, const Floats& c) {
  return ForQuarters<Floats>([&](int i) { return c.v[i] + a.v[i] * b.v[i]; });
}
RF_LANES_INLINE Floats Negate(const Floats& a) {
  return ForQuarters<Floats>([&](int i) { return -a.v[i]; });
}
RF_LANES_INLINE Floats ToFloats(const Ints& a) {
  return ForQuarters<Floats>([&](int i) { return __builtin_convertvector(a.v[i], Floats::Quarter); });
}
RF_LANES_INLINE Floats BitsToFloats(const Ints& a) {
  return LoadFloats(a.v);
}
RF_LANES_CALLED Ints LoadUnsigned16(const void* p) {
  return LoadConverted<Ints, uint16_t>(p, [](uint16_t value) { return int32_t{value}; });
}
RF_LANES_CALLED Floats LoadHalfs(const void* p) {
  return LoadConverted<Floats, uint16_t>(p, HalfToFloat);
}
RF_LANES_CALLED Ints LoadUnsigned8(const void* p) {
  return LoadConverted<Ints, uint8_t>(p, [](uint8_t value) { return int32_t{value}; });
}
RF_LANES_CALLED Ints LoadSigned8(const void* p) {
  return LoadConverted<Ints, int8_t>(p, [](int8_t value) { return int32_t{value}; });
}

}  // namespace
}  // namespace rf::cpu
