// Keys and values as halves, and matrices of halves in shared memory, as matrix instructions read them.
#pragma once

#include "hip/kernels/matrix_fragments.h"
#include "hip/kernels/plain_elements.h"
#include "hip/kernels/views.h"
#include "quant/q4_0.h"
#include "quant/q8_0.h"

namespace rf::hip {
namespace {

inline constexpr int kProductColumns = kStretch / kProductsOfStretch;

/// The blocks of a row of K or V.
template <typename Block>
RF_DEVICE const Block* CacheBlocks(const void* half, int head_dim, int64_t row) {
  return static_cast<const Block*>(half) + row * (head_dim / Block::kElements);
}

/// Eight elements of a row from a multiple of eight on, as halves. Those of quantized formats are rounded.
RF_DEVICE Int4 LoadHalfPiece(const BlockF16* row, int column) {
  return *reinterpret_cast<const Int4*>(row + column);
}
RF_DEVICE Int4 LoadHalfPiece(const BlockQ8_0* row, int column) {
  const BlockQ8_0& block = row[column / BlockQ8_0::kElements];
  const int8_t* quants = block.qs + column % BlockQ8_0::kElements;
  const float d = HalfBitsToFloat(block.d);
  const uint32_t words[2] = {LoadEven32(quants), LoadEven32(quants + 4)};
  const auto pair = [&](int i) {
    const uint32_t both = words[i / 2] >> (16 * (i % 2));
    return PackHalves(d * static_cast<float>(static_cast<int8_t>(both)),
                      d * static_cast<float>(static_cast<int8_t>(both >> 8)));
  };
  return {pair(0), pair(1), pair(2), pair(3)};
}
RF_DEVICE Int4 LoadHalfPiece(const BlockQ4_0* row, int column) {
  const BlockQ4_0& block = row[column / BlockQ4_0::kElements];
  const int in_block = column % BlockQ4_0::kElements;
  const uint8_t* quants = block.qs + in_block % 16;
  const int shift = in_block / 16 * 4;
  const float d = HalfBitsToFloat(block.d);
  const uint32_t words[2] = {LoadEven32(quants) >> shift, LoadEven32(quants + 4) >> shift};
  const auto pair = [&](int i) {
    const uint32_t both = words[i / 2] >> (16 * (i % 2));
    return PackHalves(d * static_cast<float>(static_cast<int>(both & 0xf) - 8),
                      d * static_cast<float>(static_cast<int>(both >> 8 & 0xf) - 8));
  };
  return {pair(0), pair(1), pair(2), pair(3)};
}

/// The piece-th of a lane's pieces of a product's 32 columns, counted from the matrix's first column.
RF_DEVICE int PieceOfProduct(int product, int piece) {
  return product * (kProductColumns / kPieceColumns) + LanePart() * PiecesOfLane() + piece;
}

/// Rows of halves in shared memory. The pieces of a row are permuted by the row's number, so that those of one column
/// in eight neighbouring rows lie in different banks.
template <int kRows, int kColumns>
struct HalfMatrix {
  static constexpr int kPieces = kColumns / kPieceColumns;
  static_assert(kPieces == 4 || kPieces % 8 == 0);
  Int4 pieces[kRows][kPieces];

  RF_DEVICE_MEMBER static int PlaceOf(int row, int piece) {
    // Two rows of four pieces fill the banks.
    return piece ^ (kPieces == 4 ? row / 2 % 4 : row % 2 * 4 + row / 2 % 4);
  }
  /// The word of two neighbouring columns, the first of them even.
  RF_DEVICE_MEMBER void SetPair(int row, int column, int pair) {
    Int4& piece = pieces[row][PlaceOf(row, column / kPieceColumns)];
    reinterpret_cast<int32_t*>(&piece)[column % kPieceColumns / 2] = pair;
  }
  RF_DEVICE_MEMBER uint16_t& At(int row, int column) {
    Int4& piece = pieces[row][PlaceOf(row, column / kPieceColumns)];
    return reinterpret_cast<uint16_t*>(&piece)[column % kPieceColumns];
  }
  /// Sixteen rows of the product-th 32 columns.
  RF_DEVICE_MEMBER HalfFragment Load(int first_row, int product) const {
    HalfFragment fragment{};
    RF_UNROLL
    for (int i = 0; i < LaneRows(); ++i) {
      const int row = first_row + LaneRow(i);
      RF_UNROLL
      for (int p = 0; p < PiecesOfLane(); ++p) {
        fragment.pieces[i][p] = pieces[row][PlaceOf(row, PieceOfProduct(product, p))];
      }
    }
    return fragment;
  }
};

/// Values of some positions on their way to shared memory, where they lie transposed: a thread has eight columns of two
/// neighbouring positions, some times.
template <typename Block, int kDim, int kPositions, int kWaves>
struct ValueStage {
  static constexpr int kPairs = kPositions / 2;
  static constexpr int kItems = kPairs * (kDim / kPieceColumns);
  static constexpr int kMost = kItems / (kWaves * 32);  ///< of a thread, in the smallest waves
  static_assert(kItems % (kWaves * 64) == 0);
  const void* half;
  int head_dim;
  const int64_t* rows;  ///< CacheRowIndex of the chunk's positions
  Int4 pieces[kMost][2] = {};

  RF_DEVICE_MEMBER static int Count() { return kItems / (kWaves * WaveSize()); }
  RF_DEVICE_MEMBER static int Item(int i) { return static_cast<int>(threadIdx.x) + i * kWaves * WaveSize(); }
  RF_DEVICE_MEMBER static int Position(int i) { return Item(i) % kPairs * 2; }
  RF_DEVICE_MEMBER static int Column(int i) { return Item(i) / kPairs * kPieceColumns; }

  /// Columns behind the last become some that are there: nobody looks at them.
  RF_DEVICE_MEMBER void Load(int stage) {
    RF_UNROLL
    for (int i = 0; i < Count(); ++i) {
      const int column = Column(i) < head_dim ? Column(i) : 0;
      RF_UNROLL
      for (int j = 0; j < 2; ++j) {
        pieces[i][j] =
            LoadHalfPiece(CacheBlocks<Block>(half, head_dim, rows[stage * kPositions + Position(i) + j]), column);
      }
    }
  }
  RF_DEVICE_MEMBER void Store(HalfMatrix<kDim, kPositions>& values) const {
    RF_UNROLL
    for (int i = 0; i < Count(); ++i) {
      const Int4 both[2] = {pieces[i][0], pieces[i][1]};
      StorePair(values, Column(i), Position(i), both[0].x, both[1].x);
      StorePair(values, Column(i) + 2, Position(i), both[0].y, both[1].y);
      StorePair(values, Column(i) + 4, Position(i), both[0].z, both[1].z);
      StorePair(values, Column(i) + 6, Position(i), both[0].w, both[1].w);
    }
  }
  /// Makes zeros of what the thread stored and is not finite, and marks its position in `broken`. Seldom used: it is
  /// short rather than fast.
  RF_DEVICE_MEMBER static void Mend(int stage, HalfMatrix<kDim, kPositions>& values, int32_t* broken) {
    for (int i = 0; i < Count() * kPieceColumns * 2; ++i) {
      const int item = i / (kPieceColumns * 2);
      const int position = Position(item) + i % 2;
      uint16_t& half = values.At(Column(item) + i / 2 % kPieceColumns, position);
      if ((half & 0x7c00) != 0x7c00) continue;
      half = 0;
      broken[stage * kPositions + position] = 1;
    }
  }

 private:
  // Two columns of two positions.
  RF_DEVICE_MEMBER static void StorePair(HalfMatrix<kDim, kPositions>& values, int column, int position, int first,
                                         int second) {
    values.SetPair(column, position, PermuteBytes(first, second, 0x05040100));
    values.SetPair(column + 1, position, PermuteBytes(first, second, 0x07060302));
  }
};

}  // namespace
}  // namespace rf::hip
