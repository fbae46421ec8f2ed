// How a block of the matrix kernel brings a slab, a round's 32 columns that one lane of the other kernels takes, into
// shared memory: weights unpacked to signed bytes, activations as two planes, both with the scales of their pieces.
// There is room for two slabs: while one is multiplied, the next is stored and the one after it is on its way to
// registers.
#pragma once

#include "hip/kernels/lane_weights.h"
#include "hip/kernels/product.h"
#include "hip/kernels/product_piece.h"

namespace rf::hip {
namespace {

inline constexpr int kSlabWords = kUnit / 4;
// Words from one row to the next: such that eight rows lie in different banks.
inline constexpr int kWeightStride = kSlabWords + 4;
inline constexpr int kRowStride = 2 * kSlabWords + 4;

/// A block: kTileOutputs outputs of kTileRows rows; each wave has kWaveRows of them for as many outputs as it has
/// lanes.
template <int kTileRowsOf, int kWaveRowsOf>
struct MatrixShape {
  static constexpr int kTileRows = kTileRowsOf;
  static constexpr int kTileOutputs = 128;
  static constexpr int kWaveRows = kWaveRowsOf;
  static constexpr int kThreads = kTileOutputs * (kTileRows / kWaveRows);
  // Where there are threads to spare, those that unpack weights leave activations to the others.
  static constexpr int kFirstForRows = kThreads > kTileOutputs ? kTileOutputs : 0;
  static constexpr int kThreadsForRows = kThreads > kTileOutputs ? kThreads / 2 : kThreads;
};

/// Columns of a lane of the other kernels.
struct Slab {
  int lane;  ///< kProductLanes: beyond the last
  int round;

  /// The lane among those that share a round.
  RF_DEVICE_MEMBER int place() const { return lane % kRoundLanes; }
  RF_DEVICE_MEMBER bool IsThere() const { return lane < kProductLanes; }
};

/// The slab after one, lane by lane.
template <typename Pieces>
RF_DEVICE Slab NextSlab(Slab slab, int n_cols) {
  slab.round += kRoundsAtOnce;
  while (slab.round >= Pieces::CountRounds(n_cols, slab.place()) && ++slab.lane < kProductLanes) {
    slab.round = slab.lane / kRoundLanes;
  }
  return slab;
}

template <typename Pieces, typename Shape>
struct SlabMemory {
  int weights[Shape::kTileOutputs][kWeightStride];
  int x[Shape::kTileRows][kRowStride];  ///< the high plane, then the low one
  PieceScales<Pieces::kHasMinimum> scales[Pieces::kPieces][Shape::kTileOutputs];
  PieceScales<Pieces::kHasMinimum> x_scales[Pieces::kPieces][Shape::kTileRows];
};
template <typename Pieces, typename Shape>
struct MatrixMemory {
  SlabMemory<Pieces, Shape> slabs[2];
};

/// Word by word: a copy of the struct would pass through the GPU's slow private memory.
RF_DEVICE Int4 WordsOf(const Int4& from) {
  return {from.x, from.y, from.z, from.w};
}
RF_DEVICE void StoreWords(int* to, const Int4& words) {
  auto& out = *reinterpret_cast<Int4*>(to);
  out.x = words.x;
  out.y = words.y;
  out.z = words.z;
  out.w = words.w;
}

/// Four quants 0..255 less kOffset, as signed bytes.
template <int kOffset>
RF_DEVICE int SubtractOffset(int quants) {
  if constexpr (kOffset == 0) return quants;
  const uint32_t difference = (static_cast<uint32_t>(quants) | 0x80808080u) - 0x01010101u * kOffset;
  return static_cast<int>(difference ^ 0x80808080u);
}

/// Eight words of quants, less kOffset.
template <int kOffset>
RF_DEVICE void StoreQuants(int* to, const int (&q)[8]) {
  StoreWords(to, {SubtractOffset<kOffset>(q[0]), SubtractOffset<kOffset>(q[1]), SubtractOffset<kOffset>(q[2]),
                  SubtractOffset<kOffset>(q[3])});
  StoreWords(to + 4, {SubtractOffset<kOffset>(q[4]), SubtractOffset<kOffset>(q[5]), SubtractOffset<kOffset>(q[6]),
                      SubtractOffset<kOffset>(q[7])});
}

/// A thread's share of a slab's weights: those of an output.
template <typename Pieces, typename Shape>
struct WeightStage {
  using Block = typename Pieces::Block;
  const Block* row;
  typename Pieces::Raw raw;

  RF_DEVICE_MEMBER static int Output() { return static_cast<int>(threadIdx.x); }

  /// Outputs beyond the last repeat it; nobody writes them.
  RF_DEVICE_MEMBER void Begin(const OutputTile& tile, int matrix) {
    const int output = Output() < tile.count ? Output() : tile.count - 1;
    row = BlocksOf<Block>(tile.part.weight, tile.first + output, matrix);
  }
  RF_DEVICE_MEMBER void Load(const Slab& slab) {
    if (Output() < Shape::kTileOutputs) raw = Pieces::Load(row, slab.round, slab.place());
  }
  RF_DEVICE_MEMBER void Store(SlabMemory<Pieces, Shape>& memory, const Slab& slab) const {
    if (Output() >= Shape::kTileOutputs) return;
    const auto weights = Pieces::Unpack(raw, slab.place());
    StoreQuants<Pieces::kOffset>(memory.weights[Output()], weights.quants);
    RF_UNROLL
    for (int p = 0; p < Pieces::kPieces; ++p) {
      memory.scales[p][Output()] = MakeScales<Pieces::kHasMinimum>(weights.scale[p], weights.minimum[p]);
    }
  }
};

/// A thread's share of a slab's activations: sixteen columns of a plane of some rows, and the scale of a piece of a
/// row.
template <typename Pieces, typename Shape>
struct ActivationStage {
  static constexpr int kPerThread = Shape::kTileRows * 4 / Shape::kThreadsForRows;
  static constexpr int kScales =
      (Shape::kTileRows * Pieces::kPieces + Shape::kThreadsForRows - 1) / Shape::kThreadsForRows;
  const ActivationRound* units;
  int first_round[kPerThread];  ///< of the row, in `units`
  int first_scale[kScales];
  Int4 quants[kPerThread];
  float scale[kScales];
  int sum[kScales];

  RF_DEVICE_MEMBER static int Thread() { return static_cast<int>(threadIdx.x) - Shape::kFirstForRows; }
  RF_DEVICE_MEMBER static bool HasRows() { return Thread() >= 0 && Thread() < Shape::kThreadsForRows; }
  RF_DEVICE_MEMBER static int Row(int i) { return (Thread() + i * Shape::kThreadsForRows) / 4; }
  RF_DEVICE_MEMBER static int Quarter() { return Thread() % 4; }
  RF_DEVICE_MEMBER static int ScaleRow(int i) { return (Thread() + i * Shape::kThreadsForRows) % Shape::kTileRows; }
  RF_DEVICE_MEMBER static int ScalePiece(int i) { return (Thread() + i * Shape::kThreadsForRows) / Shape::kTileRows; }

  /// Threads may be more than there are scales.
  RF_DEVICE_MEMBER static bool HasScale(int i) {
    return Shape::kTileRows * Pieces::kPieces % Shape::kThreadsForRows == 0 || ScalePiece(i) < Pieces::kPieces;
  }

  /// Rows beyond the last repeat it; nobody writes them.
  RF_DEVICE_MEMBER static int FirstRound(const ProductJob& job, const RowTile& tile, int row) {
    const auto in_job = static_cast<int>(RowIn(job.rows, tile, row < tile.count ? row : tile.count - 1));
    return in_job / job.rows.rows_per_x * static_cast<int>(RoundsOf(job.args.x.n_cols));
  }
  RF_DEVICE_MEMBER void Begin(const ProductJob& job, const RowTile& tile) {
    units = job.units;
    if (!HasRows()) return;
    RF_UNROLL
    for (int i = 0; i < kPerThread; ++i) first_round[i] = FirstRound(job, tile, Row(i));
    RF_UNROLL
    for (int i = 0; i < kScales; ++i) first_scale[i] = FirstRound(job, tile, ScaleRow(i));
  }
  RF_DEVICE_MEMBER void Load(const Slab& slab) {
    if (!HasRows()) return;
    const PiecePlace place = Pieces::PlaceOf(slab.place(), Pieces::kPieces == 2 ? Quarter() % 2 : 0);
    const int half = Pieces::kPieces == 2 ? place.half : Quarter() % 2;
    RF_UNROLL
    for (int i = 0; i < kPerThread; ++i) {
      const ActivationRound& round = units[first_round[i] + slab.round];
      quants[i] = WordsOf(Quarter() < 2 ? round.high[place.unit][half] : round.low[place.unit][half]);
    }
    RF_UNROLL
    for (int i = 0; i < kScales; ++i) {
      if (!HasScale(i)) continue;
      const PiecePlace piece = Pieces::PlaceOf(slab.place(), ScalePiece(i));
      // As a whole: rows lie far apart, and each load of many of them takes its time.
      const UnitScale unit = units[first_scale[i] + slab.round].scales[piece.unit];
      scale[i] = unit.scale;
      if constexpr (Pieces::kHasMinimum) {
        const int first_half = unit.sums[0];
        const int second_half = unit.sums[1];
        sum[i] = Pieces::kPieces == 1 ? first_half + second_half : piece.half == 0 ? first_half : second_half;
      }
    }
  }
  RF_DEVICE_MEMBER void Store(SlabMemory<Pieces, Shape>& memory) const {
    if (!HasRows()) return;
    RF_UNROLL
    for (int i = 0; i < kPerThread; ++i) StoreWords(&memory.x[Row(i)][Quarter() * 4], quants[i]);
    RF_UNROLL
    for (int i = 0; i < kScales; ++i) {
      if (!HasScale(i)) continue;
      memory.x_scales[ScalePiece(i)][ScaleRow(i)] =
          MakeScales<Pieces::kHasMinimum>(scale[i], static_cast<float>(sum[i]));
    }
  }
};

}  // namespace
}  // namespace rf::hip
