// Bytes as weights in plain C++. See matmul_bytes.h for what each function does.
#pragma once

#include <array>

#include "cpu/kernels/matmul_lanes_generic.h"

namespace rf::cpu {
namespace {

/// Pairs of 16-bit activations of each four: numbers 0 and 2, numbers 1 and 3; both halves hold the same 32.
struct Quads {
  Ints even, odd;
};

inline void StoreQuads(const int32_t* q, uint8_t* out) {
  const auto pair = [](int32_t first, int32_t second) {
    return (static_cast<uint32_t>(first) & 0xffffu) | static_cast<uint32_t>(second) << 16;
  };
  for (int j = 0; j < 8; ++j) {
    const uint32_t pairs[2] = {pair(q[4 * j], q[4 * j + 2]), pair(q[4 * j + 1], q[4 * j + 3])};
    memcpy(out + 4 * j, &pairs[0], 4);
    memcpy(out + 32 + 4 * j, &pairs[1], 4);
  }
}
RF_LANES_INLINE Ints LoadTwice(const uint8_t* p) {
  Ints a;
  memcpy(&a.v[0], p, 32);
  a.v[2] = a.v[0];
  a.v[3] = a.v[1];
  return a;
}
RF_LANES_INLINE Quads LoadQuads(const uint8_t* p) {
  return {LoadTwice(p), LoadTwice(p + 32)};
}
RF_LANES_INLINE Ints SignedBytePair(const Ints& word, bool odd) {
  typedef int16_t Halves __attribute__((vector_size(16)));
  return ForQuarters<Ints>([&](int i) {
    const auto halves = Halves(word.v[i]);
    return Ints::Quarter((odd ? halves : halves << 8) >> 8);
  });
}
RF_LANES_INLINE Ints QuadProducts(const Ints& w, const Quads& x) {
  return AddPairProducts(AddPairProducts(ZeroInts(), SignedBytePair(w, false), x.even), SignedBytePair(w, true), x.odd);
}
template <int... kNumbers>
RF_LANES_INLINE Ints::Quarter Mixed(Ints::Quarter a, Ints::Quarter b) {
  return __builtin_shufflevector(a, b, kNumbers...);
}
RF_LANES_INLINE Ints AddNeighbours(const Ints& a, const Ints& b) {
  return ForQuarters<Ints>(
      [&](int i) { return Mixed<0, 2, 4, 6>(a.v[i], b.v[i]) + Mixed<1, 3, 5, 7>(a.v[i], b.v[i]); });
}
RF_LANES_INLINE Ints FirstHalves(const Ints& a, const Ints& b) {
  return {{a.v[0], a.v[2], b.v[0], b.v[2]}};
}
RF_LANES_INLINE Ints SecondHalves(const Ints& a, const Ints& b) {
  return {{a.v[1], a.v[3], b.v[1], b.v[3]}};
}
RF_LANES_INLINE void Transpose(Ints (&v)[4]) {
  for (int i = 0; i < kQuarters; ++i) {
    const Ints::Quarter ab_low = Mixed<0, 4, 1, 5>(v[0].v[i], v[1].v[i]);
    const Ints::Quarter ab_high = Mixed<2, 6, 3, 7>(v[0].v[i], v[1].v[i]);
    const Ints::Quarter cd_low = Mixed<0, 4, 1, 5>(v[2].v[i], v[3].v[i]);
    const Ints::Quarter cd_high = Mixed<2, 6, 3, 7>(v[2].v[i], v[3].v[i]);
    v[0].v[i] = Mixed<0, 1, 4, 5>(ab_low, cd_low);
    v[1].v[i] = Mixed<2, 3, 6, 7>(ab_low, cd_low);
    v[2].v[i] = Mixed<0, 1, 4, 5>(ab_high, cd_high);
    v[3].v[i] = Mixed<2, 3, 6, 7>(ab_high, cd_high);
  }
}

struct JoinedBytes {
  uint64_t words[4];
};
RF_LANES_INLINE JoinedBytes Join(const uint64_t (&words)[4]) {
  return {{words[0], words[1], words[2], words[3]}};
}
RF_LANES_INLINE JoinedBytes Join(const uint32_t (&words)[8]) {
  JoinedBytes joined;
  for (int i = 0; i < 4; ++i) joined.words[i] = words[2 * i] | uint64_t{words[2 * i + 1]} << 32;
  return joined;
}

/// Of eight sign bits: what turns a magnitude into its negative where a bit is set, all its bits flipped and one added.
struct SignBytes {
  uint64_t flipped;
  uint64_t added;
};

constexpr std::array<SignBytes, 256> AllSignBytes() {
  std::array<SignBytes, 256> all{};
  for (uint32_t signs = 0; signs < 256; ++signs) {
    for (int j = 0; j < 8; ++j) {
      if ((signs >> j & 1u) == 0) continue;
      all[signs].flipped |= uint64_t{0xff} << (8 * j);
      all[signs].added |= uint64_t{1} << (8 * j);
    }
  }
  return all;
}
inline constexpr std::array<SignBytes, 256> kSignBytes = AllSignBytes();

/// No magnitude is zero, so nothing is carried from one byte to the next.
RF_LANES_INLINE void StoreSigned(const JoinedBytes& bytes, uint32_t signs, uint8_t* out) {
  for (int i = 0; i < 4; ++i) {
    const SignBytes& sign = kSignBytes[signs >> (8 * i) & 0xffu];
    const uint64_t word = (bytes.words[i] ^ sign.flipped) + sign.added;
    memcpy(out + 8 * i, &word, sizeof(word));
  }
}
RF_LANES_INLINE void StoreUnbiased(const JoinedBytes& bytes, uint8_t* out) {
  for (int i = 0; i < 4; ++i) {
    const uint64_t word = bytes.words[i] ^ 0x8080808080808080u;
    memcpy(out + 8 * i, &word, sizeof(word));
  }
}

}  // namespace
}  // namespace rf::cpu
