// The lane's weights of formats of one bit, of two bits and of three values, with one scale for a block: as planar
// weights are made of them (repack.cc), no product reads them so.
#pragma once

#include "hip/kernels/lane_weights.h"
#include "quant/q1_0.h"
#include "quant/q2_0.h"
#include "quant/tq1_0.h"
#include "quant/tq2_0.h"

namespace rf::hip {
namespace {

/// The quant of a block's weight, without sign.
RF_DEVICE int QuantOf(const BlockQ1_0& block, int i) {
  return block.qs[i / 8] >> (i % 8) & 1;
}
RF_DEVICE int QuantOf(const BlockQ2_0& block, int i) {
  return block.qs[i / 4] >> (i % 4 * 2) & 3;
}
RF_DEVICE int QuantOf(const BlockTQ2_0& block, int i) {
  return block.qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
}
RF_DEVICE int QuantOf(const BlockTQ1_0& block, int i) {
  if (i < 160) return TernaryDigitOfByte(block.qs[i % 32], i / 32);
  if (i < 240) return TernaryDigitOfByte(block.qs[32 + i % 16], (i - 160) / 16);
  return TernaryDigitOfByte(block.qh[i % 4], (i - 240) / 4);
}

/// What a quant counts: Q1_0's are -d and d, so a bit more is 2 d.
template <typename Block>
RF_DEVICE float StepOf(const Block& block) {
  return HalfBitsToFloat(block.d);
}
RF_DEVICE float StepOf(const BlockQ1_0& block) {
  return 2.0f * HalfBitsToFloat(block.d);
}

/// A lane takes 32 weights of a block.
template <typename BlockType>
struct PiecesOfOneScale : PiecesOf32<BlockType> {
  struct Raw {
    const BlockType* block;
    int first;
  };
  RF_DEVICE_MEMBER static Raw Load(const BlockType* row, int round, int lane) {
    constexpr int kUnits = BlockType::kElements / 32;
    const int unit = round * 8 + lane;
    return {row + unit / kUnits, unit % kUnits * 32};
  }
  RF_DEVICE_MEMBER static LaneWeights<1> Unpack(const Raw& raw, int /*lane*/) {
    LaneWeights<1> weights{{}, {StepOf(*raw.block)}, {}};
    RF_UNROLL
    for (int word = 0; word < 8; ++word) {
      int bytes = 0;
      for (int i = 0; i < 4; ++i) bytes |= QuantOf(*raw.block, raw.first + 4 * word + i) << (8 * i);
      weights.quants[word] = bytes;
    }
    return weights;
  }
};
template <>
struct LanePieces<BlockQ1_0> : PiecesOfOneScale<BlockQ1_0> {};
template <>
struct LanePieces<BlockQ2_0> : PiecesOfOneScale<BlockQ2_0> {};
template <>
struct LanePieces<BlockTQ1_0> : PiecesOfOneScale<BlockTQ1_0> {};
template <>
struct LanePieces<BlockTQ2_0> : PiecesOfOneScale<BlockTQ2_0> {};

}  // namespace
}  // namespace rf::hip
