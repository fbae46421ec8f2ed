// How the kernels read the formats whose weights are points of a codebook (cpu/codebook_formats.def), from the file's
// layout. One struct per format, which reads 32 weights of one row:
//   kScales: scales of 32 weights, 1 or 2;
//   Read(block, b, out): the block's 32 weights from 32b on.
// The eight weights of a point are eight bytes of a table, so that signs and shifts are a few operations on a word.
#pragma once

#include <array>
#include <cstdint>

#include "cpu/kernels/matmul_lanes.h"
#include "cpu/pack_layout.h"
#include "quant/iq1_m.h"
#include "quant/iq1_s.h"
#include "quant/iq2_s.h"
#include "quant/iq2_xs.h"
#include "quant/iq2_xxs.h"
#include "quant/iq3_s.h"
#include "quant/iq3_xxs.h"

namespace rf::cpu {
namespace {

/// 32 weights of a row: weight = scale * (byte - 128).
struct CodedBlock {
  uint64_t bytes[4];
  float scales[2];
};

inline constexpr uint64_t kOnes = 0x0101010101010101u;

/// Of each point the bytes 128 + level that its digits mean, the first lowest.
template <int kPoints>
using PointBytes = std::array<uint64_t, kPoints>;

template <int kPoints>
constexpr PointBytes<kPoints> TernaryBytes(const IqGrid<kPoints>& grid, int first, int second, int third) {
  const int levels[3] = {first, second, third};
  PointBytes<kPoints> bytes{};
  for (int i = 0; i < kPoints; ++i) {
    for (int j = 0; j < 8; ++j) bytes[i] |= uint64_t(levels[TernaryDigit(grid.points[i], j)]) << (8 * j);
  }
  return bytes;
}

template <int kPoints>
constexpr PointBytes<kPoints> Iq2Bytes(const IqGrid<kPoints>& grid) {
  return TernaryBytes(grid, 128 + kIq2Levels[0], 128 + kIq2Levels[1], 128 + kIq2Levels[2]);
}

/// Four weights a point.
template <int kPoints>
constexpr std::array<uint32_t, kPoints> OctalBytes(const IqGrid<kPoints>& grid, const int8_t (&levels)[8]) {
  std::array<uint32_t, kPoints> bytes{};
  for (int i = 0; i < kPoints; ++i) {
    for (int j = 0; j < 4; ++j) bytes[i] |= uint32_t(128 + levels[OctalDigit(grid.points[i], j)]) << (8 * j);
  }
  return bytes;
}

/// What turns 128 + magnitude into 128 - magnitude where a sign bit is set: all bits flipped, one added.
struct SignBytes {
  uint64_t flipped;
  uint64_t added;
};

constexpr SignBytes SignBytesOf(uint32_t signs) {
  SignBytes bytes{};
  for (int j = 0; j < 8; ++j) {
    if ((signs >> j & 1u) == 0) continue;
    bytes.flipped |= uint64_t{0xff} << (8 * j);
    bytes.added |= uint64_t{1} << (8 * j);
  }
  return bytes;
}

constexpr std::array<SignBytes, 256> AllSignBytes() {
  std::array<SignBytes, 256> all{};
  for (uint32_t signs = 0; signs < 256; ++signs) all[signs] = SignBytesOf(signs);
  return all;
}
inline constexpr std::array<SignBytes, 256> kSignBytes = AllSignBytes();

/// Of seven sign bits, whose eighth makes the number of negative weights even.
constexpr std::array<SignBytes, 128> AllEvenSignBytes() {
  std::array<SignBytes, 128> all{};
  for (uint32_t seven = 0; seven < 128; ++seven) all[seven] = SignBytesOf(EvenSigns(seven));
  return all;
}
inline constexpr std::array<SignBytes, 128> kEvenSignBytes = AllEvenSignBytes();

/// REQUIRES: bytes of 128 + magnitudes of 1..127, so that nothing is carried from one to the next.
RF_LANES_INLINE uint64_t SignedBytes(uint64_t bytes, const SignBytes& signs) {
  return (bytes ^ signs.flipped) + signs.added;
}

inline constexpr PointBytes<256> kIq2XxsBytes = Iq2Bytes(kIq2XxsGrid);
inline constexpr PointBytes<512> kIq2XsBytes = Iq2Bytes(kIq2XsGrid);
inline constexpr PointBytes<1024> kIq2SBytes = Iq2Bytes(kIq2SGrid);
inline constexpr std::array<uint32_t, 256> kIq3XxsBytes = OctalBytes(kIq3XxsGrid, kIq3XxsLevels);
inline constexpr int8_t kIq3SLevels[8] = {1, 3, 5, 7, 9, 11, 13, 15};
inline constexpr std::array<uint32_t, 512> kIq3SBytes = OctalBytes(kIq3SGrid, kIq3SLevels);
/// 128 + 8 * level; the shift by an eighth is one more or less.
inline constexpr PointBytes<2048> kIq1Bytes = TernaryBytes(kIq1Grid, 120, 128, 136);

struct IQ2_XXSRows {
  using Block = BlockIQ2_XXS;
  static constexpr int kScales = 1;
  RF_LANES_INLINE static void Read(const Block& block, int b, CodedBlock& out) {
    const uint8_t* points = block.qs + b * 8;
    const uint32_t word = LoadU32(points + 4);
    out.scales[0] = Iq2Scale(HalfToFloat(block.d), static_cast<int>(word >> 28));
    for (int i = 0; i < 4; ++i) {
      out.bytes[i] = SignedBytes(kIq2XxsBytes[points[i]], kEvenSignBytes[word >> (7 * i) & 0x7fu]);
    }
  }
};

/// The two scales of block b of the formats that keep a nibble for each 16 weights.
RF_LANES_INLINE void ReadIq2Scales(uint16_t d, uint8_t nibbles, CodedBlock& out) {
  out.scales[0] = Iq2Scale(HalfToFloat(d), nibbles & 0xf);
  out.scales[1] = Iq2Scale(HalfToFloat(d), nibbles >> 4);
}

struct IQ2_XSRows {
  using Block = BlockIQ2_XS;
  static constexpr int kScales = 2;
  RF_LANES_INLINE static void Read(const Block& block, int b, CodedBlock& out) {
    ReadIq2Scales(block.d, block.scales[b], out);
    for (int i = 0; i < 4; ++i) {
      const uint32_t word = block.qs[b * 4 + i];
      out.bytes[i] = SignedBytes(kIq2XsBytes[word & 0x1ffu], kEvenSignBytes[word >> 9]);
    }
  }
};

struct IQ2_SRows {
  using Block = BlockIQ2_S;
  static constexpr int kScales = 2;
  RF_LANES_INLINE static void Read(const Block& block, int b, CodedBlock& out) {
    ReadIq2Scales(block.d, block.scales[b], out);
    for (int i = 0; i < 4; ++i) {
      const uint32_t number = block.qs[b * 4 + i] | (uint32_t{block.qh[b]} >> (2 * i) & 3u) << 8;
      out.bytes[i] = SignedBytes(kIq2SBytes[number], kSignBytes[block.signs[b * 4 + i]]);
    }
  }
};

struct IQ3_XXSRows {
  using Block = BlockIQ3_XXS;
  static constexpr int kScales = 1;
  RF_LANES_INLINE static void Read(const Block& block, int b, CodedBlock& out) {
    const uint8_t* points = block.qs + b * 8;
    const uint32_t word = LoadU32(block.signs_scales + b * 4);
    out.scales[0] = HalfToFloat(block.d) * (0.5f + static_cast<float>(word >> 28)) * 0.5f;
    for (int i = 0; i < 4; ++i) {
      const uint64_t magnitudes = kIq3XxsBytes[points[2 * i]] | uint64_t{kIq3XxsBytes[points[2 * i + 1]]} << 32;
      out.bytes[i] = SignedBytes(magnitudes, kEvenSignBytes[word >> (7 * i) & 0x7fu]);
    }
  }
};

struct IQ3_SRows {
  using Block = BlockIQ3_S;
  static constexpr int kScales = 1;
  RF_LANES_INLINE static void Read(const Block& block, int b, CodedBlock& out) {
    const int scale = block.scales[b / 2] >> (b % 2 * 4) & 0xf;
    out.scales[0] = HalfToFloat(block.d) * static_cast<float>(2 * scale + 1);
    const uint32_t ninth = uint32_t{block.qh[b]} << 8;
    for (int i = 0; i < 4; ++i) {
      const uint8_t* points = block.qs + b * 8 + 2 * i;
      const uint32_t first = points[0] | (ninth >> (2 * i) & 0x100u);
      const uint32_t second = points[1] | (ninth >> (2 * i + 1) & 0x100u);
      out.bytes[i] =
          SignedBytes(kIq3SBytes[first] | uint64_t{kIq3SBytes[second]} << 32, kSignBytes[block.signs[b * 4 + i]]);
    }
  }
};

/// Eight weights, shifted by an eighth: down if `nibble`'s upper bit is set, whose lower three belong to the number.
RF_LANES_INLINE uint64_t ShiftedBytes(uint8_t low_bits, uint32_t nibble) {
  const uint64_t bytes = kIq1Bytes[low_bits | (nibble & 7u) << 8];
  return (nibble & 8u) != 0 ? bytes - kOnes : bytes + kOnes;
}

struct IQ1_SRows {
  using Block = BlockIQ1_S;
  static constexpr int kScales = 1;
  RF_LANES_INLINE static void Read(const Block& block, int b, CodedBlock& out) {
    const uint32_t word = block.qh[b];
    out.scales[0] = HalfToFloat(block.d) * static_cast<float>(2 * (word >> 12 & 7u) + 1) * 0.125f;
    const uint32_t shift = word >> 15 << 3;
    for (int i = 0; i < 4; ++i) out.bytes[i] = ShiftedBytes(block.qs[b * 4 + i], (word >> (3 * i) & 7u) | shift);
  }
};

struct IQ1_MRows {
  using Block = BlockIQ1_M;
  static constexpr int kScales = 2;
  RF_LANES_INLINE static void Read(const Block& block, int b, CodedBlock& out) {
    uint32_t d_bits = 0;
    for (int i = 0; i < 4; ++i) d_bits |= static_cast<uint32_t>(block.scales[i] >> 12) << (4 * i);
    const float d = HalfToFloat(static_cast<uint16_t>(d_bits)) * 0.125f;
    for (int s = 0; s < 2; ++s) {
      const int group = 2 * b + s;
      out.scales[s] = d * static_cast<float>(2 * (block.scales[group / 4] >> (group % 4 * 3) & 7) + 1);
    }
    for (int i = 0; i < 4; ++i) {
      const int point = b * 4 + i;
      out.bytes[i] = ShiftedBytes(block.qs[point], block.qh[point / 2] >> (point % 2 * 4) & 0xfu);
    }
  }
};

}  // namespace
}  // namespace rf::cpu
