// How a lane reads its quantized weights: 32 in a round, as signed bytes in the order in which its activations lie.
//
// Eight lanes share 256 columns. A lane takes one piece of 32 weights with one scale, or two pieces of 16 that may lie
// in different units: what its format keeps in the same bytes.
#pragma once

#include "hip/kernels/gpu.h"

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

/// What blocks of 256 have in common, of which a lane takes two pieces of 16.
template <typename BlockType>
struct PiecesOf256 {
  using Block = BlockType;
  static constexpr int kPieces = 2;
  static constexpr int kOffset = 0;
  static constexpr bool kHasMinimum = false;

  RF_DEVICE_MEMBER static int CountRounds(int n_cols, int /*lane*/) { return n_cols / 256; }
};

/// Of each format: PiecesOf32 or PiecesOf256 with the members that a kernel needs.
template <typename Block>
struct LanePieces;

}  // namespace
}  // namespace rf::hip
