// The lane's weights of formats with blocks of 32 and scales in F16.
#pragma once

#include "hip/kernels/lane_weights.h"
#include "quant/q4_0.h"
#include "quant/q4_1.h"
#include "quant/q5_0.h"
#include "quant/q5_1.h"
#include "quant/q8_0.h"

namespace rf::hip {
namespace {

/// Four bits as the fifth bits of four bytes.
RF_DEVICE int FifthBits(uint32_t bits) {
  return static_cast<int>(((bits & 0xf) * 0x00204081u & 0x01010101u) << 4);
}
RF_DEVICE Int4 FifthBitsOfSixteen(uint32_t bits) {
  return {FifthBits(bits), FifthBits(bits >> 4), FifthBits(bits >> 8), FifthBits(bits >> 12)};
}

template <>
struct LanePieces<BlockQ8_0> : PiecesOf32<BlockQ8_0> {
  struct Raw {
    LoadedSixteen qs[2];
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
    LoadedSixteen qs;
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
    LoadedSixteen qs;
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
    LoadedSixteen qs;
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
    LoadedSixteen qs;
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

}  // namespace
}  // namespace rf::hip
