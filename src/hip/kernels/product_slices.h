// Few rows: each wave of a block has one of kSlices slices of the columns of sixteen outputs, for all rows; the slices'
// sums come together in shared memory. A wave keeps kAhead stretches of weights under way, straight to its registers,
// and loads the activations of a stretch while it multiplies the one before.
#pragma once

#include "hip/kernels/product_rows.h"

namespace rf::hip {
namespace {

/// kPasses tiles of outputs, one after another, of kRows rows.
template <typename RowsType, int kRowsOf, bool kNarrowOf, int kAheadOf, int kPassesOf = 1>
struct SliceShape {
  using Rows = RowsType;
  static constexpr int kRows = kRowsOf;
  static constexpr bool kNarrow = kNarrowOf;  ///< MultiplyHalves
  /// Where registers are few, less is under way.
  static constexpr int kAhead = kIsTallWave ? kAheadOf : 2;
  static constexpr int kPasses = kPassesOf;
  static constexpr int kOutputs = kPasses * kMatrixSide;
  struct Memory {
    typename Rows::Memory rows;
    float sums[kSlices][kOutputs][kRows | 1];  ///< an odd stride: the lanes write to different banks
    alignas(16) float outputs[kOutputs];
  };
};

/// Stretches of weights under way: fewer of those that take more registers.
template <typename Planar, typename Shape>
constexpr int CountAhead() {
  if (kIsHalves<Planar>) return kIsTallWave ? 2 : 1;
  const bool is_full = !kIsTallWave && Planar::kLowBits == 8 && Shape::kRows > 1;
  return is_full ? 1 : Shape::kAhead;
}

/// A wave's work: all passes, stretch after stretch. tile_of(pass): a tile's first byte. All threads.
template <typename Planar, typename Shape, typename TileOf>
RF_DEVICE void MultiplySlice(const ProductJob& job, const RowTile& row_tile, const TileOf& tile_of,
                             typename Shape::Memory& shared) {
  using Rows = typename Shape::Rows;
  const int wave = WaveIndex();
  const auto n_stretches = static_cast<int>(StretchesOfColumns(job.args.x.n_cols));
  const SliceStretches slice = SliceAt(n_stretches, wave);
  const int total = (slice.end - slice.first) * Shape::kPasses;
  constexpr int kAhead = CountAhead<Planar, Shape>();
  LaneRecord<Planar> ahead[kAhead];
  int next_pass = 0;
  int next_stretch = slice.first;
  const unsigned char* tile = tile_of(0);
  const auto load_next = [&](LaneRecord<Planar>& record) {
    record.Load(tile, next_stretch);
    if (++next_stretch < slice.end) return;
    next_stretch = slice.first;
    if (Shape::kPasses > 1 && ++next_pass < Shape::kPasses) tile = tile_of(next_pass);
  };
  Rows rows(shared.rows);
  rows.Begin(job, row_tile, slice);
  RF_UNROLL
  for (int a = 0; a < kAhead; ++a) {
    if (a < total) load_next(ahead[a]);
  }
  rows.Finish(slice);
  BlockBarrier();
  // Where registers are few, activations are loaded when they are needed.
  constexpr bool kLoadsRowsAhead = kIsTallWave;
  typename Rows::Share share;
  if (kLoadsRowsAhead && total > 0) rows.Load(share, slice.first);
  MatrixSums sums[Rows::kFragments];
  int pass = 0;
  int stretch = slice.first;
  const auto finish_pass = [&] {
    RF_UNROLL
    for (int f = 0; f < Rows::kFragments; ++f) {
      RF_UNROLL
      for (int i = 0; i < (Shape::kNarrow ? NarrowValuesOfLane() : MatrixValuesOfLane()); ++i) {
        const int row = f * kMatrixSide + MatrixRow(i);
        if (row < Shape::kRows) shared.sums[wave][pass * kMatrixSide + MatrixOutput(i)][row] = sums[f].values[i];
      }
      sums[f] = MatrixSums{};
    }
  };
  for (int first = 0; first < total; first += kAhead) {
    RF_UNROLL
    for (int a = 0; a < kAhead; ++a) {
      if (first + a >= total) break;
      const int at = stretch;
      const bool ends_pass = ++stretch == slice.end;
      if (ends_pass) stretch = slice.first;
      typename Rows::Share next_share;
      if (!kLoadsRowsAhead) rows.Load(share, at);
      if (kLoadsRowsAhead && first + a + 1 < total) rows.Load(next_share, stretch);
      const LaneScales<Planar> scales(ahead[a]);
      RF_UNROLL
      for (int product = 0; product < kProductsOfStretch; ++product) {
        const HalfFragment weights = WeightsOf<Planar>(ahead[a], scales, product);
        RF_UNROLL
        for (int f = 0; f < Rows::kFragments; ++f) {
          sums[f] = MultiplyHalves<Shape::kNarrow>(weights, rows.FragmentOf(share, f, at, product), sums[f]);
        }
      }
      if (first + a + kAhead < total) load_next(ahead[a]);
      if (kLoadsRowsAhead) share = next_share;
      if (ends_pass) {
        finish_pass();
        ++pass;
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

  RF_DEVICE_MEMBER void Load(const ProductJob& job, const MatMul::Part& part, const int32_t* powers, int64_t row,
                             int output) {
    power = powers[output % kMatrixSide];
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

/// The first byte of a tile of a weight.
template <typename Planar>
RF_DEVICE const unsigned char* TileAt(const WeightView& weight, int64_t matrix, int64_t tile) {
  const auto* bytes = static_cast<const unsigned char*>(weight.data);
  return bytes + (matrix * TilesOf(weight.n_rows) + tile) * TileBytes(Planar::Shape(), weight.n_cols);
}

}  // namespace
}  // namespace rf::hip
