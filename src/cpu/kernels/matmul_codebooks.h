// How the kernels read the formats whose weights are points of a codebook (cpu/codebook_formats.def), from the file's
// layout. One struct per format, which reads 256 weights of one row as signed bytes and scales:
//   kScales: scales of 32 weights, 1 or 2;
//   Read(block, out): scale s of block b is scale kScales * b + s.
// The four or eight weights of a point are that many bytes of a table; signs are applied to 32 at a time.
#pragma once

#include <array>
#include <cstdint>

#include "cpu/kernels/matmul_bytes.h"
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

/// Blocks of a record of any of these formats.
inline constexpr int kCodedBlocks = 8;
/// Bytes of a block of 16 rows.
inline constexpr int kCodedBlockBytes = kPanelRows * kBlock;

/// Where the weights of one row go, as bytes: weight = scale * byte. A block's 16 rows follow one another, the scales'
/// as well.
struct CodedRow {
  uint8_t* bytes;  ///< of the record's first block
  float* scales;

  RF_LANES_INLINE uint8_t* Bytes(int block) const { return bytes + block * kCodedBlockBytes; }
  RF_LANES_INLINE float& Scale(int scale) const { return scales[scale * kPanelRows]; }
};

/// The place of row r in a block: Ints i of four holds rows i and i + 4, so that FirstHalves leaves them in order.
RF_LANES_INLINE int RowPlace(int r) {
  return r / 8 * 8 + r % 4 * 2 + r / 4 % 2;
}

inline constexpr uint64_t kOnes = 0x0101010101010101u;

/// Of each point the levels that its digits mean, in bytes, the first lowest.
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
  return TernaryBytes(grid, kIq2Levels[0], kIq2Levels[1], kIq2Levels[2]);
}

/// Four weights a point.
template <int kPoints>
constexpr std::array<uint32_t, kPoints> OctalBytes(const IqGrid<kPoints>& grid, const int8_t (&levels)[8]) {
  std::array<uint32_t, kPoints> bytes{};
  for (int i = 0; i < kPoints; ++i) {
    for (int j = 0; j < 4; ++j) bytes[i] |= uint32_t(levels[OctalDigit(grid.points[i], j)]) << (8 * j);
  }
  return bytes;
}

/// The eighth sign of each byte's seven makes the number of negative weights even.
RF_LANES_INLINE Ints WithEighthSigns(Ints seven) {
  Ints odd = Xor(seven, ShiftRight(seven, 4));
  odd = Xor(odd, ShiftRight(odd, 2));
  odd = Xor(odd, ShiftRight(odd, 1));
  return Or(seven, ShiftLeft(And(odd, 0x01010101u), 7));
}

/// The signs of 32 weights in each lane, from 4 x 7 bits.
RF_LANES_INLINE Ints EvenSignsOf(Ints words) {
  const Ints first = Or(And(words, 0x7fu), And(ShiftLeft(words, 1), 0x7f00u));
  const Ints last = Or(And(ShiftLeft(words, 2), 0x7f0000u), And(ShiftLeft(words, 3), 0x7f000000u));
  return WithEighthSigns(Or(first, last));
}

static_assert(kIq2Levels[2] <= kLargestByte && kIq3XxsLevels[7] <= kLargestByte);
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
  RF_LANES_INLINE static void Read(const Block& block, const CodedRow& out) {
    uint32_t signs[kPanelRows];  // the odd ones; the others are points
    StoreInts(signs, EvenSignsOf(LoadInts(block.qs)));
    const float d = HalfToFloat(block.d);
    for (int b = 0; b < kCodedBlocks; ++b) {
      const uint8_t* points = block.qs + b * 8;
      out.Scale(b) = Iq2Scale(d, points[7] >> 4);
      const uint64_t words[4] = {kIq2XxsBytes[points[0]], kIq2XxsBytes[points[1]], kIq2XxsBytes[points[2]],
                                 kIq2XxsBytes[points[3]]};
      StoreSigned(Join(words), signs[2 * b + 1], out.Bytes(b));
    }
  }
};

/// The two scales of each block of the formats that keep a nibble for each 16 weights.
RF_LANES_INLINE void ReadIq2Scales(float d, const uint8_t* nibbles, const CodedRow& out) {
  for (int b = 0; b < kCodedBlocks; ++b) {
    out.Scale(2 * b) = Iq2Scale(d, nibbles[b] & 0xf);
    out.Scale(2 * b + 1) = Iq2Scale(d, nibbles[b] >> 4);
  }
}

struct IQ2_XSRows {
  using Block = BlockIQ2_XS;
  static constexpr int kScales = 2;
  RF_LANES_INLINE static void Read(const Block& block, const CodedRow& out) {
    uint16_t signs[2 * kPanelRows];  // each in a lower byte
    StoreInts(signs, WithEighthSigns(And(ShiftRight(LoadInts(block.qs), 9), 0x007f007fu)));
    ReadIq2Scales(HalfToFloat(block.d), block.scales, out);
    for (int b = 0; b < kCodedBlocks; ++b) {
      uint64_t words[4];
      uint32_t block_signs = 0;
      for (int i = 0; i < 4; ++i) {
        words[i] = kIq2XsBytes[block.qs[b * 4 + i] & 0x1ffu];
        block_signs |= uint32_t{signs[b * 4 + i]} << (8 * i);
      }
      StoreSigned(Join(words), block_signs, out.Bytes(b));
    }
  }
};

struct IQ2_SRows {
  using Block = BlockIQ2_S;
  static constexpr int kScales = 2;
  RF_LANES_INLINE static void Read(const Block& block, const CodedRow& out) {
    ReadIq2Scales(HalfToFloat(block.d), block.scales, out);
    for (int b = 0; b < kCodedBlocks; ++b) {
      const uint32_t upper = uint32_t{block.qh[b]} << 8;
      uint64_t words[4];
      for (int i = 0; i < 4; ++i) words[i] = kIq2SBytes[block.qs[b * 4 + i] | (upper >> (2 * i) & 0x300u)];
      StoreSigned(Join(words), LoadU32(block.signs + b * 4), out.Bytes(b));
    }
  }
};

struct IQ3_XXSRows {
  using Block = BlockIQ3_XXS;
  static constexpr int kScales = 1;
  RF_LANES_INLINE static void Read(const Block& block, const CodedRow& out) {
    uint32_t signs[kPanelRows];  // the second eight; the first are points
    StoreInts(signs, EvenSignsOf(LoadInts(block.qs + 32)));
    const float d = HalfToFloat(block.d);
    for (int b = 0; b < kCodedBlocks; ++b) {
      out.Scale(b) = d * (0.5f + static_cast<float>(block.signs_scales[b * 4 + 3] >> 4)) * 0.5f;
      uint32_t words[8];
      for (int i = 0; i < 8; ++i) words[i] = kIq3XxsBytes[block.qs[b * 8 + i]];
      StoreSigned(Join(words), signs[8 + b], out.Bytes(b));
    }
  }
};

struct IQ3_SRows {
  using Block = BlockIQ3_S;
  static constexpr int kScales = 1;
  RF_LANES_INLINE static void Read(const Block& block, const CodedRow& out) {
    const float d = HalfToFloat(block.d);
    for (int b = 0; b < kCodedBlocks; ++b) {
      const int scale = block.scales[b / 2] >> (b % 2 * 4) & 0xf;
      out.Scale(b) = d * static_cast<float>(2 * scale + 1);
      const uint32_t ninth = uint32_t{block.qh[b]} << 8;
      uint32_t words[8];
      for (int i = 0; i < 8; ++i) words[i] = kIq3SBytes[block.qs[b * 8 + i] | (ninth >> i & 0x100u)];
      StoreSigned(Join(words), LoadU32(block.signs + b * 4), out.Bytes(b));
    }
  }
};

/// 128 + eight weights, shifted by an eighth: down if `nibble`'s upper bit is set, whose lower three belong to the
/// number.
RF_LANES_INLINE uint64_t ShiftedBytes(uint8_t low_bits, uint32_t nibble) {
  constexpr uint64_t kShifts[2] = {kOnes, ~kOnes + 1};
  return kIq1Bytes[low_bits | (nibble & 7u) << 8] + kShifts[nibble >> 3];
}

struct IQ1_SRows {
  using Block = BlockIQ1_S;
  static constexpr int kScales = 1;
  RF_LANES_INLINE static void Read(const Block& block, const CodedRow& out) {
    const float d = HalfToFloat(block.d);
    for (int b = 0; b < kCodedBlocks; ++b) {
      const uint32_t word = block.qh[b];
      out.Scale(b) = d * static_cast<float>(2 * (word >> 12 & 7u) + 1) * 0.125f;
      const uint32_t shift = word >> 15 << 3;
      uint64_t words[4];
      for (int i = 0; i < 4; ++i) words[i] = ShiftedBytes(block.qs[b * 4 + i], (word >> (3 * i) & 7u) | shift);
      StoreUnbiased(Join(words), out.Bytes(b));
    }
  }
};

struct IQ1_MRows {
  using Block = BlockIQ1_M;
  static constexpr int kScales = 2;
  RF_LANES_INLINE static void Read(const Block& block, const CodedRow& out) {
    uint32_t d_bits = 0;
    for (int i = 0; i < 4; ++i) d_bits |= static_cast<uint32_t>(block.scales[i] >> 12) << (4 * i);
    const float d = HalfToFloat(static_cast<uint16_t>(d_bits)) * 0.125f;
    for (int group = 0; group < 2 * kCodedBlocks; ++group) {
      out.Scale(group) = d * static_cast<float>(2 * (block.scales[group / 4] >> (group % 4 * 3) & 7) + 1);
    }
    for (int b = 0; b < kCodedBlocks; ++b) {
      uint64_t words[4];
      for (int i = 0; i < 4; ++i) {
        const int point = b * 4 + i;
        words[i] = ShiftedBytes(block.qs[point], block.qh[point / 2] >> (point % 2 * 4) & 0xfu);
      }
      StoreUnbiased(Join(words), out.Bytes(b));
    }
  }
};

}  // namespace
}  // namespace rf::cpu
