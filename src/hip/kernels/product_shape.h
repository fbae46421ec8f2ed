// What the kernels of product_integer.cc and product_plain.cc share: groups of eight lanes, each with a few outputs for
// a few rows, and how the lanes' sums come together.
#pragma once

#include "hip/kernels/product.h"

namespace rf::hip {
namespace {

/// A block: kThreads / 8 groups of lanes, each with kOutputs outputs for kRows rows.
template <int kRowsOf, int kOutputsOf, int kThreadsOf>
struct ProductShape {
  static constexpr int kRows = kRowsOf;
  static constexpr int kOutputs = kOutputsOf;
  static constexpr int kThreads = kThreadsOf;
  static constexpr int kGroups = kThreads / kProductLanes;
  static constexpr int kTileOutputs = kGroups * kOutputs;
  /// How often the loop over columns is unrolled: with few sums there are too few loads under way.
  static constexpr int kUnrolled = kRows * kOutputs <= 2 ? 2 : 1;
  struct Memory {
    float sums[kProductLanes][kRows][kTileOutputs];
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
    return {OutputTileAt(job, block / n_row_tiles, Shape::kTileOutputs),
            RowTileAt(job.rows, block % n_row_tiles, Shape::kRows), thread % kProductLanes, thread / kProductLanes};
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
    return RowIn(job.rows, rows, r < rows.count ? r : rows.count - 1) / job.rows.rows_per_x;
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
    for (int c = 0; c < Shape::kOutputs; ++c) shared.sums[place.lane][r][place.group + c * Shape::kGroups] = sums[r][c];
  }
  BlockBarrier();
  for (int i = static_cast<int>(threadIdx.x); i < Shape::kRows * Shape::kTileOutputs; i += Shape::kThreads) {
    const int row = i / Shape::kTileOutputs;
    const int output = i % Shape::kTileOutputs;
    if (row >= place.rows.count || output >= place.outputs.count) continue;
    float sum = shared.sums[0][row][output];
    for (int lane = 1; lane < kProductLanes; ++lane) sum += shared.sums[lane][row][output];
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

/// Calls use<Shape>() with the shape for the job's rows. One row: as many small blocks as can be, since all that counts
/// is that enough memory is under way. Many rows: as many products for each load as registers allow.
template <typename Use>
void WithProductShape(const ProductRows& rows, Use use) {
  if (IsOneRowEach(rows)) return use.template operator()<ProductShape<1, 1, 64>>();
  if (rows.tiles == nullptr && rows.n_rows <= 2) return use.template operator()<ProductShape<2, 1, 64>>();
  if (rows.tiles == nullptr && rows.n_rows <= 4) return use.template operator()<ProductShape<4, 2, 64>>();
  use.template operator()<ProductShape<kManyRows, 4, 128>>();
}

}  // namespace
}  // namespace rf::hip
