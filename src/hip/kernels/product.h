// Matrix products as the kernels of matmul and moe_matmul see them: tiles of outputs, tiles of rows.
//
// A row's result must not depend on the rows beside it, nor on the kernel that the number of rows chooses. So all
// kernels for a format on a device add in the same order.
//
// With matrix instructions, weights are repacked (planar.h) and, if quantized, made halves on the way to the
// instruction, which meets activations in halves (halves.h): slices of columns are summed by one instruction after
// another, and the slices' sums are added in order.
//
// Otherwise the columns are dealt out to 32 lanes, each lane adds its products in order, then the 32 sums are added in
// order. Eight lanes share a round of 256 columns; lane l has its share of rounds l / 8, l / 8 + 4, l / 8 + 8, ... So
// many lanes because one row has to keep enough memory under way. Quantized weights meet activations that are integers
// too: units of 32 with a scale, sixteen bits in two planes of bytes, so that a unit's products are exact and nothing
// but the scales is ever rounded.
#pragma once

#include "hip/kernels/halves.h"
#include "hip/kernels/views.h"
#include "ops/glu.h"
#include "ops/matmul.h"

namespace rf::hip {

inline constexpr int kUnit = 32;
inline constexpr int kRoundLanes = 8;                              ///< lanes that share a round
inline constexpr int kRound = kUnit * kRoundLanes;                 ///< columns of a round
inline constexpr int kProductLanes = 32;                           ///< of an output
inline constexpr int kRoundsAtOnce = kProductLanes / kRoundLanes;  ///< from one of a lane's rounds to its next

/// What the 32 columns of a unit have in common.
struct alignas(16) UnitScale {
  float scale;      ///< the largest magnitude / 32639
  int32_t sums[2];  ///< of 256 * high + low, for each 16 columns
  int32_t unused;
};

/// Activations of a round, unit by unit: x = scale * (256 * high + low), rounded to nearest; scale is NaN where one of
/// the unit is not finite. The planes lie apart so that neighbouring lanes read neighbouring bytes.
struct ActivationRound {
  Int4 high[kRoundLanes][2];  ///< signed bytes, sixteen columns each
  Int4 low[kRoundLanes][2];   ///< signed bytes
  UnitScale scales[kRoundLanes];
};

/// Rows of y that meet the same matrix.
struct RowTile {
  int32_t matrix;
  int32_t first;  ///< into ProductRows::order, or the row itself
  int32_t count;
};

/// Which rows of x meet which matrix.
struct ProductRows {
  int32_t n_rows = 0;      ///< of y
  int32_t rows_per_x = 1;  ///< y's row r reads x's row r / rows_per_x
  /// Experts: y's row r meets matrix ids[r / n_used * ids_stride + r % n_used]; null: all meet matrix 0.
  const int32_t* ids = nullptr;
  int64_t ids_stride = 0;
  int32_t n_used = 1;
  /// Experts' rows put together (moe_matmul.cc): n_tiles tiles of order's entries; null: tiles of rows as they lie.
  const RowTile* tiles = nullptr;
  const int32_t* order = nullptr;
  int32_t n_tiles = 0;
  int32_t tile_rows = 0;  ///< of tiles; a kernel with smaller ones cuts them into several
};

/// Products that share x and the weights' format: one launch. The parts' tiles of outputs follow one another.
struct ProductJob {
  MatMul::Args args;
  ProductRows rows;
  const ActivationRound* units = nullptr;  ///< [x.n_rows, RoundsOf(x.n_cols)], for kernels that read them
  HalfRows halves{};                       ///< or these
  int32_t first_tile[MatMul::kMaxParts];
};

/// What experts' rows are grouped by: a multiple of every kernel's tile of rows.
inline constexpr int kExpertTileRows = 64;

struct UnitsPlace;

/// The kernels for weights of one format.
struct ProductKernels {
  bool reads_units;  ///< ProductJob::units, or halves, must be there
  void (*launch)(void* native, ProductJob job);
  /// Of one row: gate and up, and their gated unit with its units, a multiple of kUnit columns. False: it is not for
  /// this job, nothing was launched. Null: there is none.
  bool (*launch_gated)(void* native, const ProductJob& job, const Glu::Args& glu, const UnitsPlace& units) = nullptr;
  /// Columns of x that launch_gated takes, at most.
  int64_t gated_columns = 0;
  /// What a launch of the job starts, for people.
  const char* (*variant_of)(const void* native, const ProductJob& job) = nullptr;
};

/// Of any format, in the layout that the weight has.
const ProductKernels& ProductKernelsOf(const WeightView& weight);
/// Whether its kernels read units on some device.
bool MayReadUnits(Format format);

/// The layout in which the format's kernels read weights on a device.
WeightLayout WeightLayoutOf(Format format, const GpuTraits& traits);

namespace {

/// Rounds of a row, the last one perhaps in part.
RF_DEVICE int64_t RoundsOf(int64_t n_cols) {
  return (n_cols + kRound - 1) / kRound;
}

/// A tile's part and its outputs.
struct OutputTile {
  MatMul::Part part;
  int first;
  int count;
};

RF_DEVICE OutputTile OutputTileAt(const ProductJob& job, int index, int tile_outputs) {
  // No array is indexed with a number that the compiler does not know: it would be copied to slow private memory.
  OutputTile tile{job.args.parts[0], index, 0};
  if (job.args.n_parts > 1 && index >= job.first_tile[1]) {
    tile.part = job.args.parts[1];
    tile.first = index - job.first_tile[1];
  }
  if (job.args.n_parts > 2 && index >= job.first_tile[2]) {
    tile.part = job.args.parts[2];
    tile.first = index - job.first_tile[2];
  }
  tile.first *= tile_outputs;
  const int left = static_cast<int>(tile.part.weight.n_rows) - tile.first;
  tile.count = left < tile_outputs ? left : tile_outputs;
  return tile;
}

/// Where rows are grouped, the index-th part of up to tile_rows rows of their tiles.
RF_DEVICE RowTile PartOfTile(const ProductRows& rows, int index, int tile_rows) {
  const int n_parts = rows.tile_rows / tile_rows;
  const RowTile& tile = rows.tiles[index / n_parts];
  const int done = index % n_parts * tile_rows;
  const int left = tile.count > done ? tile.count - done : 0;
  return {tile.matrix, tile.first + done, left < tile_rows ? left : tile_rows};
}

/// The index-th tile of up to tile_rows rows, which may be empty. Experts that are not grouped have one row each.
RF_DEVICE RowTile RowTileAt(const ProductRows& rows, int index, int tile_rows) {
  if (rows.tiles != nullptr) return PartOfTile(rows, index, tile_rows);
  if (rows.ids != nullptr) return {rows.ids[index / rows.n_used * rows.ids_stride + index % rows.n_used], index, 1};
  const int first = index * tile_rows;
  const int left = rows.n_rows - first;
  return {0, first, left < tile_rows ? left : tile_rows};
}

/// The row of y that is the i-th of a tile.
RF_DEVICE int64_t RowIn(const ProductRows& rows, const RowTile& tile, int i) {
  return rows.order != nullptr ? rows.order[tile.first + i] : tile.first + i;
}

/// Writes one output and returns it: the sum, with bias and residual.
RF_DEVICE float StoreOutput(const ProductJob& job, const MatMul::Part& part, int64_t row, int output, float sum) {
  if (part.bias.data != nullptr) sum += static_cast<const float*>(part.bias.data)[output];
  if (job.args.residual.data != nullptr) sum += RowOf(job.args.residual, row)[output];
  RowOf(part.y, row)[output] = sum;
  return sum;
}

/// The job's parts of a format, as a job of their own.
inline ProductJob PartsOf(const ProductJob& job, Format format) {
  ProductJob parts = job;
  parts.args.n_parts = 0;
  for (int p = 0; p < job.args.n_parts; ++p) {
    if (job.args.parts[p].weight.format == format) parts.args.parts[parts.args.n_parts++] = job.args.parts[p];
  }
  return parts;
}

/// Sets first_tile; returns the grid: tiles of outputs, tiles of rows.
inline dim3 PlanTiles(ProductJob& job, int tile_outputs, int tile_rows) {
  int64_t n_output_tiles = 0;
  for (int p = 0; p < job.args.n_parts; ++p) {
    job.first_tile[p] = static_cast<int32_t>(n_output_tiles);
    n_output_tiles += CeilDivide(job.args.parts[p].weight.n_rows, tile_outputs);
  }
  int64_t n_row_tiles = CeilDivide(job.rows.n_rows, tile_rows);
  if (job.rows.ids != nullptr) n_row_tiles = job.rows.n_rows;
  if (job.rows.tiles != nullptr) n_row_tiles = int64_t{job.rows.n_tiles} * (job.rows.tile_rows / tile_rows);
  return dim3(static_cast<uint32_t>(n_output_tiles), static_cast<uint32_t>(n_row_tiles));
}

/// Whether all tiles of rows have one row.
inline bool IsOneRowEach(const ProductRows& rows) {
  return rows.n_rows == 1 || (rows.ids != nullptr && rows.tiles == nullptr);
}

}  // namespace
}  // namespace rf::hip
