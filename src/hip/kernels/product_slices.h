// Few rows: each wave of a block has one of kSlices slices of the columns of sixteen outputs, for all rows; the slices'
// sums come together in shared memory. A wave keeps kAhead stretches of weights under way, straight to its registers.
#pragma once

#include "hip/kernels/planar_weights.h"
#include "hip/kernels/product_planar.h"

namespace rf::hip {
namespace {

/// kPasses tiles of outputs, one after another; kStored rows of each are wanted.
template <int kFragmentsOf, bool kNarrowOf, int kPassesOf = 1, int kStoredOf = 0>
struct SliceShape {
  static constexpr int kFragments = kFragmentsOf;  ///< of sixteen rows
  static constexpr bool kNarrow = kNarrowOf;       ///< eight of them
  static constexpr int kPasses = kPassesOf;
  static constexpr int kRows = kNarrow ? kMatrixSide / 2 : kFragments * kMatrixSide;
  static constexpr int kStored = kStoredOf == 0 ? kRows : kStoredOf;
  static constexpr int kAhead = kNarrow ? 4 : 2;
  static constexpr int kOutputs = kPasses * kMatrixSide;
  /// Rows of activations that a lane has in a fragment.
  static constexpr int kLaneRows = kNarrow ? 1 : kMostRows;
  struct Memory {
    float sums[kSlices][kOutputs][kStored + 1];  ///< an odd stride: the lanes write to different banks
    float scales[kSlices][kRows];
    alignas(16) float outputs[kOutputs];
  };
};

/// A wave's activations.
template <typename Shape>
struct SliceRows {
  HalfRows x;
  int64_t rows[Shape::kFragments][Shape::kLaneRows];  ///< of x
  uint32_t exponents[Shape::kFragments][Shape::kLaneRows];

  RF_DEVICE_MEMBER static int CountRows() {
    return Shape::kNarrow ? 1 : LaneRows();
  }
  /// Rows beyond the last repeat it; nobody writes them.
  RF_DEVICE_MEMBER void Begin(const ProductJob& job, const RowTile& tile, const SliceStretches& slice,
                              typename Shape::Memory& shared) {
    x = job.halves;
    RF_UNROLL
    for (int f = 0; f < Shape::kFragments; ++f) {
      RF_UNROLL
      for (int i = 0; i < CountRows(); ++i) {
        const int in_tile = f * kMatrixSide + LaneRow(i);
        const auto row = static_cast<int>(RowIn(job.rows, tile, in_tile < tile.count ? in_tile : tile.count - 1));
        rows[f][i] = job.rows.rows_per_x == 1 ? row : row / job.rows.rows_per_x;
        exponents[f][i] = SliceExponent(x, rows[f][i], slice);
        if (LanePart() == 0 && in_tile < Shape::kRows) {
          shared.scales[WaveIndex()][in_tile] = SliceScale(exponents[f][i]);
        }
      }
    }
  }
};

/// A lane's activations of a stretch, as they were loaded.
template <typename Shape>
struct SliceShare {
  Int4 pieces[Shape::kFragments][Shape::kLaneRows][kProductsOfStretch][kMostPieces];
  uint32_t exponents[Shape::kFragments][Shape::kLaneRows];

  RF_DEVICE_MEMBER void Load(const SliceRows<Shape>& from, int stretch) {
    const int first = stretch * kStretch + LanePart() * PiecesOfLane() * kHalfColumns;
    RF_UNROLL
    for (int f = 0; f < Shape::kFragments; ++f) {
      RF_UNROLL
      for (int i = 0; i < SliceRows<Shape>::CountRows(); ++i) {
        const int64_t begin = from.rows[f][i] * from.x.columns;
        const auto* columns = reinterpret_cast<const Int4*>(from.x.values + begin + first);
        RF_UNROLL
        for (int product = 0; product < kProductsOfStretch; ++product) {
          RF_UNROLL
          for (int p = 0; p < PiecesOfLane(); ++p) {
            pieces[f][i][product][p] = columns[product * PiecesOfLane() + p];
          }
        }
        exponents[f][i] = reinterpret_cast<const uint32_t*>(from.x.exponents + begin / kHalfColumns)[stretch];
      }
    }
  }

  /// At the slice's exponents.
  RF_DEVICE_MEMBER HalfFragment FragmentOf(const SliceRows<Shape>& rows, int f, int product) const {
    HalfFragment fragment{};
    RF_UNROLL
    for (int i = 0; i < SliceRows<Shape>::CountRows(); ++i) {
      RF_UNROLL
      for (int p = 0; p < PiecesOfLane(); ++p) {
        const int unit = LanePart() * PiecesOfLane() + (product * PiecesOfLane() + p) / kProductsOfStretch;
        const int factor = UnitFactor(rows.exponents[f][i], exponents[f][i] >> (8 * unit) & 0xff);
        fragment.pieces[i][p] = MulPiece(pieces[f][i][product][p], factor);
      }
    }
    return fragment;
  }
};

/// A wave's work: all passes, stretch after stretch. tile_of(pass): a tile's first byte.
template <typename Planar, typename Shape, typename TileOf>
RF_DEVICE void MultiplySlice(const ProductJob& job, const RowTile& row_tile, const TileOf& tile_of,
                             typename Shape::Memory& shared) {
  const int wave = WaveIndex();
  const auto n_stretches = static_cast<int>(StretchesOfColumns(job.args.x.n_cols));
  const SliceStretches slice = SliceAt(n_stretches, wave);
  const int of_pass = slice.end - slice.first;
  const int total = of_pass * Shape::kPasses;
  LaneRecord<Planar> ahead[Shape::kAhead];
  int next_pass = 0;
  int next_stretch = slice.first;
  const auto load_next = [&](LaneRecord<Planar>& record) {
    record.Load(tile_of(next_pass), next_stretch);
    if (++next_stretch == slice.end) {
      next_stretch = slice.first;
      ++next_pass;
    }
  };
  RF_UNROLL
  for (int a = 0; a < Shape::kAhead; ++a) {
    if (a < total) load_next(ahead[a]);
  }
  SliceRows<Shape> rows;
  rows.Begin(job, row_tile, slice, shared);
  MatrixSums sums[Shape::kFragments];
  int pass = 0;
  int stretch = slice.first;
  const auto finish_pass = [&] {
    RF_UNROLL
    for (int f = 0; f < Shape::kFragments; ++f) {
      RF_UNROLL
      for (int i = 0; i < (Shape::kNarrow ? NarrowValuesOfLane() : MatrixValuesOfLane()); ++i) {
        const int row = f * kMatrixSide + MatrixRow(i);
        if (row < Shape::kStored) shared.sums[wave][pass * kMatrixSide + MatrixOutput(i)][row] = sums[f].values[i];
      }
      sums[f] = MatrixSums{};
    }
  };
  for (int first = 0; first < total; first += Shape::kAhead) {
    RF_UNROLL
    for (int a = 0; a < Shape::kAhead; ++a) {
      if (first + a >= total) break;
      SliceShare<Shape> share;
      share.Load(rows, stretch);
      const LaneScales<Planar> scales(ahead[a]);
      RF_UNROLL
      for (int product = 0; product < kProductsOfStretch; ++product) {
        const HalfFragment weights = WeightsOf<Planar>(ahead[a], scales, product);
        RF_UNROLL
        for (int f = 0; f < Shape::kFragments; ++f) {
          sums[f] = MultiplyHalves<Shape::kNarrow>(weights, share.FragmentOf(rows, f, product), sums[f]);
        }
      }
      if (first + a + Shape::kAhead < total) load_next(ahead[a]);
      if (++stretch == slice.end) {
        finish_pass();
        stretch = slice.first;
        ++pass;
      }
    }
  }
}

/// The sum of an output of a row: the slices', in order. Slices without columns have none.
template <typename Shape>
RF_DEVICE float JoinSlices(const typename Shape::Memory& shared, int n_stretches, int output, int row) {
  float total = kNoSlices;
  for (int slice = 0; slice < kSlices; ++slice) {
    const SliceStretches stretches = SliceAt(n_stretches, slice);
    if (stretches.first == stretches.end) continue;
    total = AddSlice(total, shared.sums[slice][output][row], shared.scales[slice][row]);
  }
  return total;
}

/// The first byte of a tile of a weight.
template <typename Planar>
RF_DEVICE const unsigned char* TileAt(const WeightView& weight, int64_t matrix, int64_t tile) {
  const auto* bytes = static_cast<const unsigned char*>(weight.data);
  return bytes + (matrix * TilesOf(weight.n_rows) + tile) * TileBytes(Planar::Shape(), weight.n_cols);
}

}  // namespace
}  // namespace rf::hip
