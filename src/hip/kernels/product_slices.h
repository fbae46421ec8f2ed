// Few rows: the waves of a block divide the columns of tiles of sixteen outputs among themselves, slice by slice, for
// all rows; the slices' sums come together in shared memory. A wave keeps some stretches of weights under way
// (product_stream.h), and loads the activations of a stretch while it multiplies the one before.
#pragma once

#include "hip/kernels/product_rows.h"
#include "hip/kernels/product_stream.h"

namespace rf::hip {
namespace {

/// A block has kTiles tiles of outputs of kRows rows, and each of its waves kTiles slices of one of them: where there
/// are many tiles, a block with several works longer for what it takes to begin and to end. Each of the tiles may be
/// several, which the wave multiplies at once: it loads activations once for all of them.
template <typename RowsType, typename WeightsType, int kRowsOf, bool kNarrowOf, int kTilesOf = 1>
struct SliceShape {
  using Rows = RowsType;
  using Weights = WeightsType;
  static constexpr int kRows = kRowsOf;
  static constexpr bool kNarrow = kNarrowOf;  ///< MultiplyHalves
  static constexpr int kTiles = kTilesOf;
  static constexpr int kTilesAtOnce = Weights::kTiles;
  static constexpr int kOutputs = kTiles * kTilesAtOnce * kMatrixSide;
  static_assert(kSlices % kTiles == 0);
  struct Memory {
    typename Rows::Memory rows;
    typename Weights::Memory weights[kSlices];
    float sums[kSlices][kOutputs][kRows | 1];  ///< an odd stride: the lanes write to different banks
    alignas(16) float outputs[kOutputs];
  };
};

/// Slices of a tile, which a wave multiplies one after another.
struct SlicesOfWave {
  int n_stretches;
  int slice;  ///< where it is
  int end;    ///< the slice's last stretch and 1

  RF_DEVICE_MEMBER SlicesOfWave(int n_stretches_of, int first) : n_stretches(n_stretches_of) { Begin(first); }
  /// The first slice from first on that has a stretch, if the wave's have any.
  RF_DEVICE_MEMBER void Begin(int first) {
    slice = first;
    const int at = SliceAt(n_stretches, first).first;
    end = SliceAt(n_stretches, slice).end;
    while (end == at && slice + 1 < kSlices) end = SliceAt(n_stretches, ++slice).end;
  }
};

/// A wave's work: its slices of its tile, stretch after stretch. tile_of(i): the first byte of the block's i-th tile.
/// Calls load_others() when earlier launches have ended. All threads.
template <typename Planar, typename Shape, typename TileOf, typename LoadOthers>
RF_DEVICE void MultiplySlice(const ProductJob& job, const RowTile& row_tile, const TileOf& tile_of,
                             const LoadOthers& load_others, typename Shape::Memory& shared) {
  using Rows = typename Shape::Rows;
  using Weights = typename Shape::Weights;
  constexpr int kWavesOfTile = kSlices / Shape::kTiles;
  const int wave = WaveIndex();
  const int own_tile = wave / kWavesOfTile;
  const int first_slice = wave % kWavesOfTile * Shape::kTiles;
  const auto n_stretches = static_cast<int>(StretchesOfColumns(job.args.x.n_cols));
  const int begin = SliceAt(n_stretches, first_slice).first;
  const int total = SliceAt(n_stretches, first_slice + Shape::kTiles - 1).end - begin;
  Weights weights(shared.weights[wave]);
  Rows rows(shared.rows);
  const SliceStretches brought = SliceAt(n_stretches, wave);
  constexpr int kTilesAtOnce = Shape::kTilesAtOnce;
  const auto own_tile_of = [&](int t) { return tile_of(own_tile * kTilesAtOnce + t); };
  if constexpr (Weights::kIsBeside) weights.Begin(own_tile_of, begin, total);
  AwaitPrevious();
  rows.Begin(job, row_tile, brought);
  if constexpr (!Weights::kIsBeside) weights.Begin(own_tile_of, begin, total);
  load_others();
  rows.Finish(brought);
  BlockBarrier();
  // Where registers are few, activations are loaded when they are needed.
  constexpr bool kLoadsRowsAhead = kIsTallWave;
  typename Rows::Share share;
  if (kLoadsRowsAhead && total > 0) rows.Load(share, begin);
  MatrixSums sums[kTilesAtOnce][Rows::kFragments];
  SlicesOfWave at_slice(n_stretches, first_slice);
  rows.BeginSlice(at_slice.slice);
  const auto finish_slice = [&] {
    RF_UNROLL
    for (int t = 0; t < kTilesAtOnce; ++t) {
      RF_UNROLL
      for (int f = 0; f < Rows::kFragments; ++f) {
        RF_UNROLL
        for (int i = 0; i < (Shape::kNarrow ? NarrowValuesOfLane() : MatrixValuesOfLane()); ++i) {
          const int row = f * kMatrixSide + MatrixRow(i);
          const int output = (own_tile * kTilesAtOnce + t) * kMatrixSide + MatrixOutput(i);
          if (row < Shape::kRows) shared.sums[at_slice.slice][output][row] = sums[t][f].values[i];
        }
        sums[t][f] = MatrixSums{};
      }
    }
  };
  for (int first = 0; first < total; first += Weights::kAtOnce) {
    RF_UNROLL
    for (int a = 0; a < Weights::kAtOnce; ++a) {
      const int i = first + a;
      if (i >= total) break;
      const int at = begin + i;
      const bool has_next = kLoadsRowsAhead && i + 1 < total;
      if (!kLoadsRowsAhead) rows.Load(share, at);
      if (has_next) rows.BeginNext(share, at + 1);
      weights.Advance(i, total);
      LaneRecord<Planar> records[kTilesAtOnce];
      LaneScales<Planar> scales[kTilesAtOnce];
      RF_UNROLL
      for (int t = 0; t < kTilesAtOnce; ++t) {
        records[t] = weights.Take(a, t);
        scales[t] = LaneScales<Planar>(records[t]);
      }
      RF_UNROLL
      for (int product = 0; product < kProductsOfStretch; ++product) {
        HalfFragment of_tile[kTilesAtOnce];
        RF_UNROLL
        for (int t = 0; t < kTilesAtOnce; ++t) of_tile[t] = WeightsOf<Planar>(records[t], scales[t], product);
        RF_UNROLL
        for (int f = 0; f < Rows::kFragments; ++f) {
          const HalfFragment fragment = rows.FragmentOf(share, f, at, product);
          RF_UNROLL
          for (int t = 0; t < kTilesAtOnce; ++t) {
            sums[t][f] = MultiplyHalves<Shape::kNarrow>(of_tile[t], fragment, sums[t][f]);
          }
        }
        if (has_next) rows.LoadNext(share, at + 1, product);
      }
      weights.Replace(i, a, total);
      if (has_next) rows.EndNext(share);
      if (at + 1 == at_slice.end) {
        finish_slice();
        if (Shape::kTiles > 1 && i + 1 < total) {
          at_slice.Begin(at_slice.slice + 1);
          rows.BeginSlice(at_slice.slice);
        }
      }
    }
  }
}

/// The sum of an output of a row: the slices', in order. Slices without columns have none.
template <typename Shape>
RF_DEVICE float JoinSlices(const typename Shape::Memory& shared, int n_stretches, int output, int row) {
  float total = kNoSlices;
  RF_UNROLL
  for (int slice = 0; slice < kSlices; ++slice) {
    const SliceStretches stretches = SliceAt(n_stretches, slice);
    const float more = AddSlice(total, shared.sums[slice][output][row], shared.rows.scales[slice][row]);
    total = stretches.first == stretches.end ? total : more;
  }
  return total;
}

/// What is added to an output, loaded before the sum is there.
struct OutputAddends {
  int32_t power;
  float bias;
  float residual;

  /// powers: of the part's outputs.
  RF_DEVICE_MEMBER void Load(const ProductJob& job, const MatMul::Part& part, const int32_t* powers, int64_t row,
                             int output) {
    power = powers[output];
    if (part.bias.data != nullptr) bias = static_cast<const float*>(part.bias.data)[output];
    if (job.args.residual.data != nullptr) residual = RowOf(job.args.residual, row)[output];
  }
  /// As StoreOutput(), of a sum before its power of two.
  RF_DEVICE_MEMBER float Store(const ProductJob& job, const MatMul::Part& part, int64_t row, int output,
                               float sum) const {
    sum = TimesPower(sum, power);
    if (part.bias.data != nullptr) sum += bias;
    if (job.args.residual.data != nullptr) sum += residual;
    RowOf(part.y, row)[output] = sum;
    return sum;
  }
};

/// The first byte of a tile of a weight; of the last one instead of those behind it.
template <typename Planar>
RF_DEVICE const unsigned char* TileAt(const WeightView& weight, int64_t matrix, int64_t tile) {
  const auto* bytes = static_cast<const unsigned char*>(weight.data);
  const int64_t n_tiles = TilesOf(weight.n_rows);
  const int64_t there = tile < n_tiles ? tile : n_tiles - 1;
  return bytes + (matrix * n_tiles + there) * TileBytes(Planar::Shape(), weight.n_cols);
}

}  // namespace
}  // namespace rf::hip
