// The lane's weights of the K formats: blocks of 256 with scales of scales.
#pragma once

#include "hip/kernels/lane_weights.h"
#include "quant/q2_k.h"
#include "quant/q3_k.h"
#include "quant/q4_k.h"
#include "quant/q5_k.h"
#include "quant/q6_k.h"

namespace rf::hip {
namespace {

/// What Q4_K and Q5_K have in common: eight units of 32, each with a scale and a minimum. The nibbles of two units
/// share 32 bytes, so two lanes read the same: a scale for 32 weights is worth more than bytes read once.
template <typename BlockType>
struct PiecesOfUnits {
  using Block = BlockType;
  static constexpr int kPieces = 1;
  static constexpr int kOffset = 0;
  static constexpr bool kHasMinimum = true;

  RF_DEVICE_MEMBER static int CountRounds(int n_cols, int /*lane*/) { return n_cols / 256; }
  RF_DEVICE_MEMBER static PiecePlace PlaceOf(int lane, int /*piece*/) { return {lane, 0}; }
};

/// The first sixteen bytes of a block: d, dmin, and eight pairs of 6-bit scales and minimums (quant/k_scales.h).
RF_DEVICE LaneWeights<1> KScalesOf(const Int4& head, int lane) {
  const auto first = static_cast<uint32_t>(head.y);
  const auto second = static_cast<uint32_t>(head.z);
  const auto third = static_cast<uint32_t>(head.w);
  // Four scales and four minimums, a byte each.
  uint32_t scales = first & 0x3f3f3f3fu;
  uint32_t minimums = second & 0x3f3f3f3fu;
  if (lane >= 4) {
    scales = (third & 0x0f0f0f0fu) | (first >> 2 & 0x30303030u);
    minimums = (third >> 4 & 0x0f0f0f0fu) | (second >> 2 & 0x30303030u);
  }
  const int shift = lane % 4 * 8;
  const float d = HalfBitsToFloat(static_cast<uint16_t>(head.x));
  const float dmin = -HalfBitsToFloat(static_cast<uint16_t>(static_cast<uint32_t>(head.x) >> 16));
  return {{}, {d * static_cast<float>(scales >> shift & 0xff)}, {dmin * static_cast<float>(minimums >> shift & 0xff)}};
}

/// The lane's nibbles of bytes that it shares with another.
RF_DEVICE Int4 NibblesOf(const Int4& qs, int lane) {
  return qs >> (lane % 2 * 4) & kNibbles;
}

template <>
struct LanePieces<BlockQ4_K> : PiecesOfUnits<BlockQ4_K> {
  struct Raw {
    Int4 head;
    Int4 qs[2];
  };
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const auto* words = reinterpret_cast<const Int4*>(row + round);
    return {words[0], {words[1 + lane / 2 * 2], words[2 + lane / 2 * 2]}};
  }
  RF_DEVICE_MEMBER static LaneWeights<1> Unpack(const Raw& raw, int lane) {
    LaneWeights<1> weights = KScalesOf(raw.head, lane);
    SetQuants(weights.quants, NibblesOf(raw.qs[0], lane), NibblesOf(raw.qs[1], lane));
    return weights;
  }
};

template <>
struct LanePieces<BlockQ5_K> : PiecesOfUnits<BlockQ5_K> {
  struct Raw {
    Int4 head;
    Int4 qh[2];
    Int4 qs[2];
  };
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const auto* words = reinterpret_cast<const Int4*>(row + round);
    return {words[0], {words[1], words[2]}, {words[3 + lane / 2 * 2], words[4 + lane / 2 * 2]}};
  }
  RF_DEVICE_MEMBER static LaneWeights<1> Unpack(const Raw& raw, int lane) {
    LaneWeights<1> weights = KScalesOf(raw.head, lane);
    const auto nibbles_and_bit = [&](int half) {
      return NibblesOf(raw.qs[half], lane) | (raw.qh[half] >> lane & 0x01010101) << 4;
    };
    SetQuants(weights.quants, nibbles_and_bit(0), nibbles_and_bit(1));
    return weights;
  }
};

template <>
struct LanePieces<BlockQ6_K> : PiecesOf256<BlockQ6_K> {
  static constexpr int kOffset = 32;
  struct Raw {
    LoadedSixteen ql;
    LoadedSixteen qh;
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

// Each 32 bytes of Q2_K and Q3_K hold 128 weights, two bits of four units a byte. Two lanes read the same sixteen
// bytes: one takes the lower four bits, the other the upper ones.
RF_DEVICE PiecePlace PlaceOfCrumbs(int lane, int piece) {
  return {lane / 4 * 4 + lane % 2 * 2 + piece, lane / 2 % 2};
}
RF_DEVICE Int4 CrumbsOf(const Int4& qs, int lane, int piece) {
  return qs >> (lane % 2 * 4 + piece * 2) & 0x03030303;
}
/// The first of the lane's two groups of 16; the second is two further.
RF_DEVICE int FirstGroupOf(int lane) {
  return lane / 4 * 8 + lane % 2 * 4 + lane / 2 % 2;
}

template <>
struct LanePieces<BlockQ2_K> : PiecesOf256<BlockQ2_K> {
  static constexpr bool kHasMinimum = true;
  struct Raw {
    LoadedSixteen qs;
    uint16_t d;
    uint16_t dmin;
    uint8_t scales[2];
  };
  RF_DEVICE_MEMBER static PiecePlace PlaceOf(int lane, int piece) { return PlaceOfCrumbs(lane, piece); }
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const Block& block = row[round];
    const uint8_t* scales = block.scales + FirstGroupOf(lane);
    return {
        LoadSixteen(block.qs + lane / 2 * 16), LoadEven16(&block.d), LoadEven16(&block.dmin), {scales[0], scales[2]}};
  }
  RF_DEVICE_MEMBER static LaneWeights<2> Unpack(const Raw& raw, int lane) {
    const float d = HalfBitsToFloat(raw.d);
    const float dmin = -HalfBitsToFloat(raw.dmin);
    LaneWeights<2> weights{
        {},
        {d * static_cast<float>(raw.scales[0] & 0xf), d * static_cast<float>(raw.scales[1] & 0xf)},
        {dmin * static_cast<float>(raw.scales[0] >> 4), dmin * static_cast<float>(raw.scales[1] >> 4)}};
    SetQuants(weights.quants, CrumbsOf(raw.qs, lane, 0), CrumbsOf(raw.qs, lane, 1));
    return weights;
  }
};

template <>
struct LanePieces<BlockQ3_K> : PiecesOf256<BlockQ3_K> {
  static constexpr int kOffset = 4;
  struct Raw {
    LoadedSixteen qs;
    LoadedSixteen hmask;
    uint16_t d;
    int8_t scales[2];
  };
  RF_DEVICE_MEMBER static PiecePlace PlaceOf(int lane, int piece) { return PlaceOfCrumbs(lane, piece); }
  RF_DEVICE_MEMBER static Raw Load(const Block* row, int round, int lane) {
    const Block& block = row[round];
    const int group = FirstGroupOf(lane);
    return {
        LoadSixteen(block.qs + lane / 2 * 16),
        LoadSixteen(block.hmask + lane / 2 % 2 * 16),
        LoadEven16(&block.d),
        {static_cast<int8_t>(Q3KScale(block.scales, group)), static_cast<int8_t>(Q3KScale(block.scales, group + 2))}};
  }
  RF_DEVICE_MEMBER static LaneWeights<2> Unpack(const Raw& raw, int lane) {
    const float d = HalfBitsToFloat(raw.d);
    LaneWeights<2> weights{{}, {d * static_cast<float>(raw.scales[0]), d * static_cast<float>(raw.scales[1])}, {}};
    const Int4 third = raw.hmask >> PlaceOf(lane, 0).unit;
    SetQuants(weights.quants, CrumbsOf(raw.qs, lane, 0) | (third & 0x01010101) << 2,
              CrumbsOf(raw.qs, lane, 1) | (third >> 1 & 0x01010101) << 2);
    return weights;
  }
};

}  // namespace
}  // namespace rf::hip
