// 16 lanes in plain C++, for any machine. See matmul_lanes.h for what each function does.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/half.h"

#define RF_LANES_INLINE inline

namespace rf::cpu {
namespace {

inline constexpr int kLanes = 16;
struct Ints {
  int32_t v[kLanes];
};
struct Floats {
  float v[kLanes];
};
struct Table {
  uint8_t v[16];
};

inline constexpr int kTileTokens = 4;
inline constexpr const char* kLanesName = "generic";

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
  Ints a;
  for (int32_t& lane : a.v) lane = value;
  return a;
}
RF_LANES_INLINE Ints And(Ints a, uint32_t mask) {
  for (int32_t& lane : a.v) lane = static_cast<int32_t>(static_cast<uint32_t>(lane) & mask);
  return a;
}
RF_LANES_INLINE Ints Or(Ints a, const Ints& b) {
  for (int i = 0; i < kLanes; ++i) a.v[i] |= b.v[i];
  return a;
}
RF_LANES_INLINE Ints ShiftRight(Ints a, int bits) {
  for (int32_t& lane : a.v) lane = static_cast<int32_t>(static_cast<uint32_t>(lane) >> bits);
  return a;
}
RF_LANES_INLINE Ints ShiftLeft(Ints a, int bits) {
  for (int32_t& lane : a.v) lane = static_cast<int32_t>(static_cast<uint32_t>(lane) << bits);
  return a;
}
RF_LANES_INLINE Ints ShiftRight8In16(const Ints& a) {
  return And(ShiftRight(a, 8), 0x00ff00ffu);
}
RF_LANES_INLINE int32_t Low16(int32_t a) {
  return static_cast<int16_t>(static_cast<uint16_t>(static_cast<uint32_t>(a) & 0xffffu));
}
RF_LANES_INLINE Ints Subtract16(Ints a, int16_t value) {
  for (int32_t& lane : a.v) {
    const uint32_t low = static_cast<uint32_t>(Low16(lane) - value) & 0xffffu;
    const uint32_t high = static_cast<uint32_t>((lane >> 16) - value) << 16;
    lane = static_cast<int32_t>(high | low);
  }
  return a;
}
RF_LANES_INLINE Ints AddPairProducts(Ints sum, const Ints& a, const Ints& b) {
  for (int i = 0; i < kLanes; ++i) {
    sum.v[i] += Low16(a.v[i]) * Low16(b.v[i]) + (a.v[i] >> 16) * (b.v[i] >> 16);
  }
  return sum;
}
RF_LANES_INLINE Table LoadTable(const uint8_t* bytes16) {
  Table table;
  memcpy(table.v, bytes16, sizeof(table.v));
  return table;
}
RF_LANES_INLINE Ints TableLookup(const Table& table, Ints index_bytes) {
  for (int32_t& lane : index_bytes.v) {
    const uint32_t index = static_cast<uint32_t>(lane);
    uint32_t found = 0;
    for (int shift = 0; shift < 32; shift += 8) found |= uint32_t{table.v[(index >> shift) & 15u]} << shift;
    lane = static_cast<int32_t>(found);
  }
  return index_bytes;
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
  Floats a;
  for (float& lane : a.v) lane = value;
  return a;
}
RF_LANES_INLINE Floats Add(Floats a, const Floats& b) {
  for (int i = 0; i < kLanes; ++i) a.v[i] += b.v[i];
  return a;
}
RF_LANES_INLINE Floats Multiply(Floats a, const Floats& b) {
  for (int i = 0; i < kLanes; ++i) a.v[i] *= b.v[i];
  return a;
}
RF_LANES_INLINE Floats MultiplyAdd(const Floats& a, const Floats& b, Floats c) {
  for (int i = 0; i < kLanes; ++i) c.v[i] += a.v[i] * b.v[i];
  return c;
}
RF_LANES_INLINE Floats Negate(Floats a) {
  for (float& lane : a.v) lane = -lane;
  return a;
}
RF_LANES_INLINE Floats ToFloats(const Ints& a) {
  Floats f;
  for (int i = 0; i < kLanes; ++i) f.v[i] = static_cast<float>(a.v[i]);
  return f;
}
RF_LANES_INLINE Floats BitsToFloats(const Ints& a) {
  return LoadFloats(a.v);
}
RF_LANES_INLINE Ints LoadUnsigned16(const void* p) {
  uint16_t values[kLanes];
  memcpy(values, p, sizeof(values));
  Ints a;
  for (int i = 0; i < kLanes; ++i) a.v[i] = values[i];
  return a;
}
RF_LANES_INLINE Floats LoadHalfs(const void* p) {
  uint16_t values[kLanes];
  memcpy(values, p, sizeof(values));
  Floats a;
  for (int i = 0; i < kLanes; ++i) a.v[i] = HalfToFloat(values[i]);
  return a;
}
RF_LANES_INLINE Ints LoadUnsigned8(const void* p) {
  const auto* bytes = static_cast<const uint8_t*>(p);
  Ints a;
  for (int i = 0; i < kLanes; ++i) a.v[i] = bytes[i];
  return a;
}
RF_LANES_INLINE Ints LoadSigned8(const void* p) {
  const auto* bytes = static_cast<const int8_t*>(p);
  Ints a;
  for (int i = 0; i < kLanes; ++i) a.v[i] = bytes[i];
  return a;
}

}  // namespace
}  // namespace rf::cpu
