// The lane's weights of formats whose nibbles are numbers of values in a table.
#pragma once

#include "hip/kernels/lane_weights.h"
#include "quant/iq4_nl.h"
#include "quant/iq4_xs.h"
#include "quant/mxfp4.h"
#include "quant/nvfp4.h"

namespace rf::hip {
namespace {

/// Sixteen signed bytes as four words.
RF_SHARED_INLINE constexpr int WordOfTable(const int8_t* table, int word) {
  uint32_t bytes = 0;
  for (int i = 0; i < 4; ++i) bytes |= static_cast<uint32_t>(table[4 * word + i] & 0xff) << (8 * i);
  return static_cast<int>(bytes);
}

struct IqTable {
  static constexpr int kWords[4] = {WordOfTable(kIq4NlValues, 0), WordOfTable(kIq4NlValues, 1),
                                    WordOfTable(kIq4NlValues, 2), WordOfTable(kIq4NlValues, 3)};
};
struct E2M1Table {
  static constexpr int kWords[4] = {WordOfTable(kE2M1Doubled, 0), WordOfTable(kE2M1Doubled, 1),
                                    WordOfTable(kE2M1Doubled, 2), WordOfTable(kE2M1Doubled, 3)};
};

/// The values of four bytes' numbers 0..15.
template <typename Table>
RF_DEVICE int LookUp(int numbers) {
  constexpr int kFirst = Table::kWords[0];
  constexpr int kSecond = Table::kWords[1];
  constexpr int kThird = Table::kWords[2];
  constexpr int kFourth = Table::kWords[3];
  const int selectors = numbers & 0x07070707;
  const int low = PermuteBytes(kFirst, kSecond, selectors);
  const int high = PermuteBytes(kThird, kFourth, selectors);
  const auto is_high = static_cast<int>((static_cast<uint32_t>(numbers) >> 3 & 0x01010101u) * 0xffu);
  return (low & ~is_high) | (high & is_high);
}
template <typename Table>
RF_DEVICE Int4 LookUp(const Int4& numbers) {
  return {LookUp<Table>(numbers.x), LookUp<Table>(numbers.y), LookUp<Table>(numbers.z), LookUp<Table>(numbers.w)};
}

/// Sixteen bytes of which the low nibbles are numbers of the first values, the high ones of the others.
template <typename Table>
RF_DEVICE void SetQuantsFromTable(int (&quants)[8], const Int4& qs) {
  SetQuants(quants, LookUp<Table>(LowNibbles(qs)), LookUp<Table>(HighNibbles(qs)));
}

template <>
struct LanePieces<BlockIQ4_NL> : PiecesOf32<BlockIQ4_NL> {
  struct Raw {
    LoadedSixteen qs;
    uint16_t d;
  };
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const Block& block = BlockAt(row, round, lane);
    return {LoadSixteen(block.qs), LoadEven16(&block.d)};
  }
  RF_DEVICE_MEMBER static LaneWeights<1> Unpack(const Raw& raw, int /*lane*/) {
    LaneWeights<1> weights{{}, {HalfBitsToFloat(raw.d)}, {}};
    SetQuantsFromTable<IqTable>(weights.quants, raw.qs);
    return weights;
  }
};

// A lane takes one of a block's eight groups of 32.
template <>
struct LanePieces<BlockIQ4_XS> : PiecesOf32<BlockIQ4_XS> {
  struct Raw {
    LoadedSixteen qs;
    uint16_t d;
    uint16_t scales_h;
    uint8_t scales_l;
  };
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const Block& block = row[round];
    return {LoadSixteen(block.qs + lane * 16), LoadEven16(&block.d), LoadEven16(&block.scales_h),
            block.scales_l[lane / 2]};
  }
  RF_DEVICE_MEMBER static LaneWeights<1> Unpack(const Raw& raw, int lane) {
    const int scale = (raw.scales_l >> (lane % 2 * 4) & 0xf) | (raw.scales_h >> (2 * lane) & 3) << 4;
    LaneWeights<1> weights{{}, {HalfBitsToFloat(raw.d) * static_cast<float>(scale - 32)}, {}};
    SetQuantsFromTable<IqTable>(weights.quants, raw.qs);
    return weights;
  }
};

template <>
struct LanePieces<BlockMXFP4> : PiecesOf32<BlockMXFP4> {
  struct Raw {
    LoadedSixteen qs;
    uint8_t e;
  };
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const Block& block = BlockAt(row, round, lane);
    return {LoadSixteenAnywhere(block.qs), block.e};
  }
  RF_DEVICE_MEMBER static LaneWeights<1> Unpack(const Raw& raw, int /*lane*/) {
    LaneWeights<1> weights{{}, {E8M0ToHalvedFloat(raw.e)}, {}};
    SetQuantsFromTable<E2M1Table>(weights.quants, raw.qs);
    return weights;
  }
};

// A lane takes half a block of 64: two groups of 16, each in eight bytes.
template <>
struct LanePieces<BlockNVFP4> : PiecesOf256<BlockNVFP4> {
  struct Raw {
    LoadedSixteen qs;
    uint8_t d[2];
  };
  RF_DEVICE_MEMBER static int CountRounds(int n_cols, int lane) { return (n_cols / 32 - lane + 7) / 8; }
  RF_DEVICE_MEMBER static PiecePlace PlaceOf(int lane, int piece) { return {lane, piece}; }
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const Block& block = row[round * 4 + lane / 2];
    const uint8_t* d = block.d + lane % 2 * 2;
    return {LoadSixteen(block.qs + lane % 2 * 16), {d[0], d[1]}};
  }
  RF_DEVICE_MEMBER static LaneWeights<2> Unpack(const Raw& raw, int /*lane*/) {
    LaneWeights<2> weights{{}, {E4M3ToHalvedFloat(raw.d[0]), E4M3ToHalvedFloat(raw.d[1])}, {}};
    const Int4 low = LookUp<E2M1Table>(LowNibbles(raw.qs));
    const Int4 high = LookUp<E2M1Table>(HighNibbles(raw.qs));
    SetQuants(weights.quants, {low.x, low.y, high.x, high.y}, {low.z, low.w, high.z, high.w});
    return weights;
  }
};

}  // namespace
}  // namespace rf::hip
