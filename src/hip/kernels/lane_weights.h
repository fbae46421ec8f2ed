// How a lane reads its quantized weights: 32 in a round, as signed bytes in the order in which its activations lie.
//
// Eight lanes share 256 columns. Where a block has 32 weights a lane takes a block: one piece of 32. Where a block has
// 256 it takes the nibbles of sixteen bytes: two pieces of 16, half of one unit and half of another.
#pragma once

#include "base/half.h"
#include "hip/kernels/gpu.h"
#include "quant/q4_0.h"
#include "quant/q4_1.h"
#include "quant/q4_k.h"
#include "quant/q5_0.h"
#include "quant/q5_1.h"
#include "quant/q5_k.h"
#include "quant/q6_k.h"
#include "quant/q8_0.h"

namespace rf::hip {
namespace {

/// w = scale * (quant - kOffset) + minimum, piece by piece.
template <int kPieces>
struct LaneWeights {
  int quants[8];  ///< four signed bytes each
  float scale[kPieces];
  float minimum[kPieces];
};

/// The part of a unit that a piece's weights meet; half 0 for pieces of 32.
struct PiecePlace {
  int unit;  ///< of the round's eight
  int half;
};

RF_DEVICE void SetQuants(int (&quants)[8], const Int4& first, const Int4& second) {
  quants[0] = first.x;
  quants[1] = first.y;
  quants[2] = first.z;
  quants[3] = first.w;
  quants[4] = second.x;
  quants[5] = second.y;
  quants[6] = second.z;
  quants[7] = second.w;
}

RF_DEVICE Int4 operator&(const Int4& a, int mask) {
  return {a.x & mask, a.y & mask, a.z & mask, a.w & mask};
}
RF_DEVICE Int4 operator|(const Int4& a, const Int4& b) {
  return {a.x | b.x, a.y | b.y, a.z | b.z, a.w | b.w};
}
/// Each word shifted right, zeros coming in.
RF_DEVICE Int4 operator>>(const Int4& a, int count) {
  return {static_cast<int>(static_cast<uint32_t>(a.x) >> count), static_cast<int>(static_cast<uint32_t>(a.y) >> count),
          static_cast<int>(static_cast<uint32_t>(a.z) >> count), static_cast<int>(static_cast<uint32_t>(a.w) >> count)};
}
RF_DEVICE Int4 operator<<(const Int4& a, int count) {
  return {static_cast<int>(static_cast<uint32_t>(a.x) << count), static_cast<int>(static_cast<uint32_t>(a.y) << count),
          static_cast<int>(static_cast<uint32_t>(a.z) << count), static_cast<int>(static_cast<uint32_t>(a.w) << count)};
}

inline constexpr int kNibbles = 0x0f0f0f0f;
RF_DEVICE Int4 LowNibbles(const Int4& bytes) {
  return bytes & kNibbles;
}
RF_DEVICE Int4 HighNibbles(const Int4& bytes) {
  return bytes >> 4 & kNibbles;
}

/// Four bits as the fifth bits of four bytes.
RF_DEVICE int FifthBits(uint32_t bits) {
  return static_cast<int>(((bits & 0xf) * 0x00204081u & 0x01010101u) << 4);
}
RF_DEVICE Int4 FifthBitsOfSixteen(uint32_t bits) {
  return {FifthBits(bits), FifthBits(bits >> 4), FifthBits(bits >> 8), FifthBits(bits >> 12)};
}

/// What blocks of 32 have in common. A lane's Load() reads memory, its Unpack() what was read.
template <typename BlockType>
struct PiecesOf32 {
  using Block = BlockType;
  static constexpr int kPieces = 1;
  static constexpr int kOffset = 0;
  static constexpr bool kHasMinimum = false;

  RF_DEVICE_MEMBER static int CountRounds(int n_cols, int lane) { return (n_cols / 32 - lane + 7) / 8; }
  RF_DEVICE_MEMBER static PiecePlace PlaceOf(int lane, int /*piece*/) { return {lane, 0}; }
  RF_DEVICE_MEMBER static const Block& BlockAt(const Block* row, int round, int lane) { return row[round * 8 + lane]; }
};

/// What blocks of 256 have in common.
template <typename BlockType>
struct PiecesOf16 {
  using Block = BlockType;
  static constexpr int kPieces = 2;
  static constexpr int kOffset = 0;
  static constexpr bool kHasMinimum = false;

  RF_DEVICE_MEMBER static int CountRounds(int n_cols, int /*lane*/) { return n_cols / 256; }
  /// Of formats that keep the nibbles of two groups of 32 in 32 bytes.
  RF_DEVICE_MEMBER static PiecePlace PlaceOf(int lane, int piece) { return {lane / 2 * 2 + piece, lane % 2}; }
};

template <typename Block>
struct LanePieces;

template <>
struct LanePieces<BlockQ8_0> : PiecesOf32<BlockQ8_0> {
  struct Raw {
    Int4 qs[2];
    uint16_t d;
  };
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const Block& block = BlockAt(row, round, lane);
    return {{LoadSixteen(block.qs), LoadSixteen(block.qs + 16)}, LoadEven16(&block.d)};
  }
  RF_DEVICE_MEMBER static LaneWeights<1> Unpack(const Raw& raw, int /*lane*/) {
    LaneWeights<1> weights{{}, {HalfBitsToFloat(raw.d)}, {}};
    SetQuants(weights.quants, raw.qs[0], raw.qs[1]);
    return weights;
  }
};

template <>
struct LanePieces<BlockQ4_0> : PiecesOf32<BlockQ4_0> {
  static constexpr int kOffset = 8;
  struct Raw {
    Int4 qs;
    uint16_t d;
  };
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const Block& block = BlockAt(row, round, lane);
    return {LoadSixteen(block.qs), LoadEven16(&block.d)};
  }
  RF_DEVICE_MEMBER static LaneWeights<1> Unpack(const Raw& raw, int /*lane*/) {
    LaneWeights<1> weights{{}, {HalfBitsToFloat(raw.d)}, {}};
    SetQuants(weights.quants, LowNibbles(raw.qs), HighNibbles(raw.qs));
    return weights;
  }
};

template <>
struct LanePieces<BlockQ4_1> : PiecesOf32<BlockQ4_1> {
  static constexpr bool kHasMinimum = true;
  struct Raw {
    Int4 qs;
    uint16_t d;
    uint16_t m;
  };
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const Block& block = BlockAt(row, round, lane);
    return {LoadSixteen(block.qs), LoadEven16(&block.d), LoadEven16(&block.m)};
  }
  RF_DEVICE_MEMBER static LaneWeights<1> Unpack(const Raw& raw, int /*lane*/) {
    LaneWeights<1> weights{{}, {HalfBitsToFloat(raw.d)}, {HalfBitsToFloat(raw.m)}};
    SetQuants(weights.quants, LowNibbles(raw.qs), HighNibbles(raw.qs));
    return weights;
  }
};

template <>
struct LanePieces<BlockQ5_0> : PiecesOf32<BlockQ5_0> {
  static constexpr int kOffset = 16;
  struct Raw {
    Int4 qs;
    uint32_t qh;
    uint16_t d;
  };
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const Block& block = BlockAt(row, round, lane);
    return {LoadSixteen(block.qs), LoadEven32(block.qh), LoadEven16(&block.d)};
  }
  RF_DEVICE_MEMBER static LaneWeights<1> Unpack(const Raw& raw, int /*lane*/) {
    LaneWeights<1> weights{{}, {HalfBitsToFloat(raw.d)}, {}};
    SetQuants(weights.quants, LowNibbles(raw.qs) | FifthBitsOfSixteen(raw.qh),
              HighNibbles(raw.qs) | FifthBitsOfSixteen(raw.qh >> 16));
    return weights;
  }
};

template <>
struct LanePieces<BlockQ5_1> : PiecesOf32<BlockQ5_1> {
  static constexpr bool kHasMinimum = true;
  struct Raw {
    Int4 qs;
    uint32_t qh;
    uint16_t d;
    uint16_t m;
  };
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const Block& block = BlockAt(row, round, lane);
    return {LoadSixteen(block.qs), LoadEven32(block.qh), LoadEven16(&block.d), LoadEven16(&block.m)};
  }
  RF_DEVICE_MEMBER static LaneWeights<1> Unpack(const Raw& raw, int /*lane*/) {
    LaneWeights<1> weights{{}, {HalfBitsToFloat(raw.d)}, {HalfBitsToFloat(raw.m)}};
    SetQuants(weights.quants, LowNibbles(raw.qs) | FifthBitsOfSixteen(raw.qh),
              HighNibbles(raw.qs) | FifthBitsOfSixteen(raw.qh >> 16));
    return weights;
  }
};

/// The first sixteen bytes of Q4_K and Q5_K: d, dmin, and eight pairs of 6-bit scales and minimums (quant/k_scales.h).
RF_DEVICE LaneWeights<2> KScalesOf(const Int4& head, int lane) {
  const auto first = static_cast<uint32_t>(head.y);
  const auto second = static_cast<uint32_t>(head.z);
  const auto third = static_cast<uint32_t>(head.w);
  // Four scales and four minimums, a byte each; those of the lane's two groups lie side by side.
  uint32_t scales = first & 0x3f3f3f3fu;
  uint32_t minimums = second & 0x3f3f3f3fu;
  if (lane >= 4) {
    scales = (third & 0x0f0f0f0fu) | (first >> 2 & 0x30303030u);
    minimums = (third >> 4 & 0x0f0f0f0fu) | (second >> 2 & 0x30303030u);
  }
  scales >>= lane / 2 % 2 * 16;
  minimums >>= lane / 2 % 2 * 16;
  const float d = HalfBitsToFloat(static_cast<uint16_t>(head.x));
  const float dmin = -HalfBitsToFloat(static_cast<uint16_t>(static_cast<uint32_t>(head.x) >> 16));
  return {{},
          {d * static_cast<float>(scales & 0xff), d * static_cast<float>(scales >> 8 & 0xff)},
          {dmin * static_cast<float>(minimums & 0xff), dmin * static_cast<float>(minimums >> 8 & 0xff)}};
}

template <>
struct LanePieces<BlockQ4_K> : PiecesOf16<BlockQ4_K> {
  static constexpr bool kHasMinimum = true;
  struct Raw {
    Int4 head;
    Int4 qs;
  };
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const auto* words = reinterpret_cast<const Int4*>(row + round);
    return {words[0], words[1 + lane]};
  }
  RF_DEVICE_MEMBER static LaneWeights<2> Unpack(const Raw& raw, int lane) {
    LaneWeights<2> weights = KScalesOf(raw.head, lane);
    SetQuants(weights.quants, LowNibbles(raw.qs), HighNibbles(raw.qs));
    return weights;
  }
};

template <>
struct LanePieces<BlockQ5_K> : PiecesOf16<BlockQ5_K> {
  static constexpr bool kHasMinimum = true;
  struct Raw {
    Int4 head;
    Int4 qh;
    Int4 qs;
  };
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const auto* words = reinterpret_cast<const Int4*>(row + round);
    return {words[0], words[1 + lane % 2], words[3 + lane]};
  }
  RF_DEVICE_MEMBER static LaneWeights<2> Unpack(const Raw& raw, int lane) {
    LaneWeights<2> weights = KScalesOf(raw.head, lane);
    const Int4 high = raw.qh >> (lane / 2 * 2);
    SetQuants(weights.quants, LowNibbles(raw.qs) | (high & 0x01010101) << 4,
              HighNibbles(raw.qs) | (high >> 1 & 0x01010101) << 4);
    return weights;
  }
};

template <>
struct LanePieces<BlockQ6_K> : PiecesOf16<BlockQ6_K> {
  static constexpr int kOffset = 32;
  struct Raw {
    Int4 ql;
    Int4 qh;
    uint16_t d;
    int8_t scales[2];
  };
  // Each 64 bytes of ql hold 128 weights: the low nibbles of the first 32 bytes those of unit 0, of the others of unit
  // 1; the high ones those of units 2 and 3. The upper two bits of the four units share 32 bytes of qh.
  RF_DEVICE_MEMBER static PiecePlace PlaceOf(int lane, int piece) {
    return {lane / 4 * 4 + lane / 2 % 2 + 2 * piece, lane % 2};
  }
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const Block& block = row[round];
    const int8_t* scales = block.scales + lane / 4 * 8 + lane % 4;
    return {LoadSixteen(block.ql + 16 * lane),
            LoadSixteen(block.qh + lane / 4 * 32 + lane % 2 * 16),
            LoadEven16(&block.d),
            {scales[0], scales[4]}};
  }
  RF_DEVICE_MEMBER static LaneWeights<2> Unpack(const Raw& raw, int lane) {
    const float d = HalfBitsToFloat(raw.d);
    LaneWeights<2> weights{{}, {d * static_cast<float>(raw.scales[0]), d * static_cast<float>(raw.scales[1])}, {}};
    const Int4 high = raw.qh >> (lane / 2 % 2 * 2);
    SetQuants(weights.quants, LowNibbles(raw.ql) | (high & 0x03030303) << 4,
              HighNibbles(raw.ql) | (high >> 4 & 0x03030303) << 4);
    return weights;
  }
};

}  // namespace
}  // namespace rf::hip
