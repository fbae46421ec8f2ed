// What the kernels of product_integer.cc and product_plain.cc share: groups of lanes, each with a few outputs for
// a few rows, and how the lanes' sums come together.
#pragma once

#include "hip/kernels/product.h"

namespace rf::hip {
namespace {

/// A block: groups of kProductLanes threads, each with kOutputs outputs for kRows rows. A thread loads the weights of
/// kAhead of its rounds before it uses the first.
template <int kRowsOf, int kOutputsOf, int kAheadOf = 1>
struct ProductShape {
  static constexpr int kRows = kRowsOf;
  static constexpr int kOutputs = kOutputsOf;
  static constexpr int kAhead = kAheadOf;
  static constexpr int kThreads = 128;
  static constexpr int kGroups = kThreads / kProductLanes;
  static constexpr int kTileOutputs = kGroups * kOutputs;
  struct Memory {
    float sums[kProductLanes][kRows * kTileOutputs + 1];  ///< an odd stride: the lanes write to different banks
  };
};

/// What a block, and in it a thread, computes.
template <typename Shape>
struct ProductPlace {
  OutputTile outputs;
  RowTile rows;
  int lane;
  int group;

  /// Row tiles follow one another fastest, so that blocks that run together share weights.
  RF_DEVICE_MEMBER static ProductPlace OfThread(const ProductJob& job, int n_row_tiles) {
    const auto block = static_cast<int>(blockIdx.x);
    const auto thread = static_cast<int>(threadIdx.x);
    // Short-lived blocks feel a division.
    const int output_tile = n_row_tiles == 1 ? block : block / n_row_tiles;
    return {OutputTileAt(job, output_tile, Shape::kTileOutputs),
            RowTileAt(job.rows, block - output_tile * n_row_tiles, Shape::kRows), thread % kProductLanes,
            thread / kProductLanes};
  }
  /// The blocks of the group's c-th output. Outputs and rows beyond the last repeat it; nobody writes them.
  template <typename Block>
  RF_DEVICE_MEMBER const Block* WeightsOf(int c) const {
    const int output = group + c * Shape::kGroups;
    const int existing = output < outputs.count ? output : outputs.count - 1;
    return BlocksOf<Block>(outputs.part.weight, outputs.first + existing, rows.matrix);
  }
  /// The row of x that is the tile's r-th.
  RF_DEVICE_MEMBER int64_t InputRow(const ProductJob& job, int r) const {
    const auto row = static_cast<int>(RowIn(job.rows, rows, r < rows.count ? r : rows.count - 1));
    return job.rows.rows_per_x == 1 ? row : row / job.rows.rows_per_x;
  }
};

/// Adds the lanes' sums, lane 0 first, and writes the tile. All threads.
template <typename Shape>
RF_DEVICE void FinishProduct(const ProductJob& job, const ProductPlace<Shape>& place,
                             const float (&sums)[Shape::kRows][Shape::kOutputs]) {
  auto& shared = Shared<typename Shape::Memory>();
  RF_UNROLL
  for (int r = 0; r < Shape::kRows; ++r) {
    RF_UNROLL
    for (int c = 0; c < Shape::kOutputs; ++c) {
      shared.sums[place.lane][r * Shape::kTileOutputs + place.group + c * Shape::kGroups] = sums[r][c];
    }
  }
  BlockBarrier();
  for (int i = static_cast<int>(threadIdx.x); i < Shape::kRows * Shape::kTileOutputs; i += Shape::kThreads) {
    const int row = i / Shape::kTileOutputs;
    const int output = i % Shape::kTileOutputs;
    if (row >= place.rows.count || output >= place.outputs.count) continue;
    float sum = shared.sums[0][i];
    for (int lane = 1; lane < kProductLanes; ++lane) sum += shared.sums[lane][i];
    StoreOutput(job, place.outputs.part, RowIn(job.rows, place.rows, row), place.outputs.first + output, sum);
  }
}

template <typename Shape>
void LaunchProductTiles(void* native, void (*kernel)(ProductJob, int), ProductJob& job) {
  const dim3 tiles = PlanTiles(job, Shape::kTileOutputs, Shape::kRows);
  Launch(native, kernel, dim3(tiles.x * tiles.y), Shape::kThreads, sizeof(typename Shape::Memory), job,
         static_cast<int>(tiles.y));
}

inline constexpr int kManyRows = 8;

/// Blocks of one row that a processor runs at once, at least, if they load ahead.
inline constexpr int64_t kBlocksAtOnce = 4;

/// Whether all blocks of Shape run at once.
template <typename Shape>
bool RunsAtOnce(const void* native, ProductJob& job) {
  const dim3 tiles = PlanTiles(job, Shape::kTileOutputs, Shape::kRows);
  return int64_t{tiles.x} * tiles.y <= kBlocksAtOnce * static_cast<const GpuContext*>(native)->traits->n_processors;
}

/// Calls use<Shape>() with the shape for the job's rows. One row: what counts is that enough memory is under way, by
/// many threads or, where the outputs are too few for that, by loading ahead. Many rows: as many products for each load
/// as registers allow.
template <typename Use>
void WithProductShape(const void* native, ProductJob& job, Use use) {
  const ProductRows& rows = job.rows;
  using LoadingAhead = ProductShape<1, 2, 2>;
  if (IsOneRowEach(rows) && RunsAtOnce<LoadingAhead>(native, job)) return use.template operator()<LoadingAhead>();
  if (IsOneRowEach(rows)) return use.template operator()<ProductShape<1, 2>>();
  if (rows.tiles == nullptr && rows.n_rows <= 2) return use.template operator()<ProductShape<2, 2>>();
  if (rows.tiles == nullptr && rows.n_rows <= 4) return use.template operator()<ProductShape<4, 2>>();
  use.template operator()<ProductShape<kManyRows, 4>>();
}

}  // namespace
}  // namespace rf::hip
