// A block of the slice kernels: outputs of one part of the job, from the place of its tile to what is written.
#pragma once

#include "hip/kernels/product_slices.h"

namespace rf::hip {
namespace {

/// A block's work: some rows of Shape::kOutputs outputs of one part. All threads; block: counted over the job's.
template <typename Planar, typename Shape>
RF_DEVICE void MultiplySliceTile(const ProductJob& job, int block, int n_row_tiles, typename Shape::Memory& shared) {
  // Which experts there are is computed before.
  if (job.rows.ids != nullptr || job.rows.tiles != nullptr) AwaitPrevious();
  const int output_tile = n_row_tiles == 1 ? block : block / n_row_tiles;
  const RowTile rows = RowTileAt(job.rows, block - output_tile * n_row_tiles, Shape::kRows);
  if (rows.count == 0) return;
  const OutputTile outputs = OutputTileAt(job, output_tile, Shape::kOutputs);
  const WeightView& weight = outputs.part.weight;
  const int tile = outputs.first / kMatrixSide;
  // A thread's outputs; few threads have more than one.
  constexpr int kValues = Shape::kOutputs * Shape::kRows;
  constexpr int kLeastThreads = kSlices * 32;
  constexpr int kMost = (kValues + kLeastThreads - 1) / kLeastThreads;
  OutputAddends addends[kMost];
  const auto for_each = [&](auto use) {
    RF_UNROLL
    for (int k = 0; k < kMost; ++k) {
      const int i = static_cast<int>(threadIdx.x) + k * kSlices * WaveSize();
      const int row = i / Shape::kOutputs;
      const int output = i % Shape::kOutputs;
      if (i < kValues && row < rows.count && output < outputs.count) use(addends[k], row, output);
    }
  };
  const int32_t* powers = ExponentsOfTile(Planar::Shape(), weight, rows.matrix, 0);
  const auto tile_of = [&](int i) { return TileAt<Planar>(weight, rows.matrix, tile + i); };
  const auto load_addends = [&] {
    for_each([&](OutputAddends& of, int row, int output) {
      of.Load(job, outputs.part, powers, RowIn(job.rows, rows, row), outputs.first + output);
    });
  };
  MultiplySlice<Planar, Shape>(job, rows, tile_of, load_addends, shared);
  BlockBarrier();
  const auto n_stretches = static_cast<int>(StretchesOfColumns(job.args.x.n_cols));
  for_each([&](const OutputAddends& of, int row, int output) {
    of.Store(job, outputs.part, RowIn(job.rows, rows, row), outputs.first + output,
             JoinSlices<Shape>(shared, n_stretches, output, row));
  });
}

}  // namespace
}  // namespace rf::hip
