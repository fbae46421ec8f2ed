// Products of many rows with activations and weights in bfloat16, where the instruction set has a unit for them and the
// device was asked for it (Precision::kBFloat16). Weights are brought from their format to bfloat16, a stretch of a
// few panels at a time, and used for all rows of a chunk; the unit sums in F32 over the whole row. Both factors are
// rounded once, to 8 significant bits: NMSE about 4e-6. A row's result is the same in any batch of at least
// kBFloat16FromRows rows; smaller ones are computed exactly (matmul_tiles.h).
//   kBFloat16FromRows: from how many rows on it pays;
//   PrepareBFloat16Row(x, rows, tile, token): stores one row of activations as the unit reads it;
//   MultiplyBFloat16(...): adds the products of tiles of rows and panels to sums.
// Of formats whose weights have one magnitude in a record the quants are multiplied, which are exact in bfloat16, and
// the record's sum is scaled in F32.
// Weights: matmul_bfloat16_unpack.h.
#pragma once

#include "cpu/kernels/amx.h"
#include "cpu/kernels/matmul_panels.h"

namespace rf::cpu {
namespace {

/// Columns that are unpacked at a time: of a chunk's activations they stay in the second-level cache, and of two panels
/// nearly in the first.
inline constexpr int64_t kBFloat16Stretch = 256;
/// Rows and panels that one task takes at most: their sums stay in the second-level cache as well.
inline constexpr int64_t kBFloat16ChunkRows = 512;
inline constexpr int64_t kBFloat16Panels = 16;
/// Words of a panel's tile of 32 columns: a pair of weights for each of 16 rows.
inline constexpr int64_t kBFloat16TileWords = kPairs * kPanelRows;

/// One thread's scratch memory.
struct BFloat16Scratch {
  alignas(64) float sums[kBFloat16Panels][kBFloat16ChunkRows * kPanelRows];
  alignas(64) int32_t pairs[2][kBFloat16Stretch / kBlock * kBFloat16TileWords];
  alignas(64) float record_scales[2][kBFloat16Stretch / kBlock * kPanelRows];
  alignas(64) uint8_t bytes[kBFloat16Stretch / kBlock * 8 * kWordPlane];
  alignas(64) float scales[kBFloat16Stretch / kBlock * 2 * kPanelRows];
};

/// Operands of MultiplyBFloat16: up to two tiles of 16 rows and two panels.
struct BFloat16Tiles {
  const uint16_t* x[2];     ///< n_blocks tiles of [kMatrixTokens, kBlock], one after another
  const int32_t* pairs[2];  ///< n_blocks tiles of [kPairs, kPanelRows] pairs
  float* sums[2];           ///< of each panel [rows, kPanelRows]; is added to, or begun where is_first
  const float* scales[2];   ///< [kPanelRows] for each scale_blocks blocks
  int64_t n_blocks;
  int64_t scale_blocks;  ///< blocks that have one scale, which pairs lack; 0: pairs are weights
  bool is_first;
};

}  // namespace
}  // namespace rf::cpu

#if RF_HAS_AMX
#include "cpu/kernels/matmul_bfloat16_amx.h"
#else
#include "cpu/kernels/matmul_bfloat16_none.h"
#endif

namespace rf::cpu {
namespace {

/// Whether a run of n_rows rows is prepared in bfloat16.
inline bool HasBFloatsFor(const PreparedRows& x, int64_t n_rows) {
  return x.bfloats != nullptr && n_rows >= kBFloat16FromRows;
}

/// Unpacks n_cols columns of a panel to bfloat16.
inline void UnpackBFloat16(const PanelTask& task, const TileKernels& kernels, int64_t panel, int64_t first_col,
                           int64_t n_cols, const UnpackedPanel& out, BFloat16Scratch& scratch) {
  if (task.weight.layout == kFileLayout) {
    const FileRows rows = FileRowsOf(task.weight, panel * kPanelRows, first_col);
    kernels.unpack_rows_to_bfloat16(rows, n_cols / kBlock, {scratch.bytes, scratch.scales}, out.pairs);
  } else {
    const uint8_t* packed = PackedFrom(task.weight, kernels.layout, panel, first_col);
    kernels.unpack_to_bfloat16(packed, n_cols / kernels.layout.record_weights, out);
  }
}

/// Fetches a packed panel's columns into the second-level cache. Behind the weight's end it does nothing.
inline void PrefetchPanel(const PanelTask& task, const TileKernels& kernels, int64_t panel, int64_t first_col,
                          int64_t n_cols) {
  if (task.weight.layout == kFileLayout) return;
  const uint8_t* packed = PackedFrom(task.weight, kernels.layout, panel, first_col);
  for (int64_t i = 0; i < PanelBytes(kernels.layout, n_cols); i += 64) __builtin_prefetch(packed + i, 0, 2);
}

/// Columns of a stretch: whole records and blocks, about the same each time.
inline int64_t BFloat16StretchColumns(const TileKernels& kernels, bool is_packed, int64_t d_in) {
  const int64_t record = is_packed ? kernels.layout.record_weights : kStretch;
  const int64_t unit = record < kBlock ? kBlock : record;
  const int64_t n_stretches = (d_in + kBFloat16Stretch - 1) / kBFloat16Stretch;
  return (d_in / n_stretches + unit - 1) / unit * unit;
}

/// One stretch of up to two panels by all rows of a chunk.
struct BFloat16Stretch {
  int64_t first_panel;  ///< counted within the task
  int n_panels;
  int64_t first_block;
  int64_t n_blocks;
  int64_t scale_blocks;  ///< as BFloat16Tiles has it
};

/// The chunk's rows as the unit reads them.
struct BFloat16Rows {
  const uint16_t* tiles;
  int64_t n_tiles;
  int64_t row_blocks;  ///< of a tile

  const uint16_t* At(int64_t tile, int64_t block) const {
    return tiles + (tile * row_blocks + block) * kMatrixTokens * kBlock;
  }
};

/// Two tiles' rows of y.
inline void StoreBFloat16Sums(const PanelTask& task, int64_t first_output, const BFloat16Tiles& tiles, int n_panels,
                              const RowRun& rows, int64_t done) {
  for (int64_t i = 0; i < 2 * kMatrixTokens && done + i < rows.count; ++i) {
    const int64_t row = OutputRow(task, rows.first + done + i);
    for (int p = 0; p < n_panels; ++p) {
      StoreSums(task, tiles.sums[p] + i * kPanelRows, row, first_output + p * kPanelRows);
    }
  }
}

/// Multiplies a stretch by all rows of a chunk; after the last one the outputs are stored while they are at hand.
inline void MultiplyBFloat16Stretch(const PanelTask& task, int64_t task_panel, const BFloat16Stretch& stretch,
                                    const BFloat16Rows& x, const RowRun& rows, BFloat16Scratch& scratch) {
  const int64_t first_output = (task_panel + stretch.first_panel) * kPanelRows;
  const bool is_last = stretch.first_block + stretch.n_blocks == x.row_blocks;
  for (int64_t tile = 0; tile < x.n_tiles; tile += 2) {
    BFloat16Tiles tiles{};
    for (int i = 0; i < 2; ++i) {
      const int64_t panel = stretch.first_panel + (i < stretch.n_panels ? i : 0);
      tiles.x[i] = x.At(tile + i, stretch.first_block);
      tiles.pairs[i] = scratch.pairs[i];
      tiles.scales[i] = scratch.record_scales[i];
      tiles.sums[i] = scratch.sums[panel] + tile * kMatrixTokens * kPanelRows;
    }
    tiles.n_blocks = stretch.n_blocks;
    tiles.scale_blocks = stretch.scale_blocks;
    tiles.is_first = stretch.first_block == 0;
    if (is_last) PrefetchOutputs(task, rows, tile * kMatrixTokens, first_output, 2 * kMatrixTokens);
    MultiplyBFloat16(tiles, tile + 1 < x.n_tiles ? 2 : 1, stretch.n_panels);
    if (is_last) StoreBFloat16Sums(task, first_output, tiles, stretch.n_panels, rows, tile * kMatrixTokens);
  }
}

/// y = x * W^T for up to kBFloat16Panels panels and kBFloat16ChunkRows rows.
inline void MultiplyByBFloat16(const PanelTask& task, int64_t first_panel, int64_t n_panels, const PreparedRows& x,
                               const RowRun& rows, BFloat16Scratch& scratch) {
  const TileKernels& kernels = TileKernelsOf(task.weight.format, task.weight.layout);
  const int64_t row_blocks = BFloat16Blocks(x.d_in);
  const BFloat16Rows tiles{x.bfloats + rows.first_tile * row_blocks * kMatrixTokens * kBlock,
                           (rows.count + kMatrixTokens - 1) / kMatrixTokens, row_blocks};
  const int64_t step = BFloat16StretchColumns(kernels, task.weight.layout != kFileLayout, x.d_in);
  for (int64_t col = 0; col < x.d_in; col += step) {
    const int64_t n_cols = col + step < x.d_in ? step : x.d_in - col;
    for (int64_t p = 0; p < n_panels; p += 2) {
      const BFloat16Stretch stretch{p, p + 1 < n_panels ? 2 : 1, col / kBlock, BFloat16Blocks(n_cols),
                                    kernels.bfloat16_scale_blocks()};
      for (int i = 0; i < stretch.n_panels; ++i) {
        const UnpackedPanel unpacked{scratch.pairs[i], scratch.record_scales[i]};
        UnpackBFloat16(task, kernels, first_panel + p + i, col, n_cols, unpacked, scratch);
      }
      for (int64_t next = p + 2; next < p + 4 && next < n_panels; ++next) {
        PrefetchPanel(task, kernels, first_panel + next, col, n_cols);
      }
      MultiplyBFloat16Stretch(task, first_panel, stretch, tiles, rows, scratch);
    }
  }
}

}  // namespace
}  // namespace rf::cpu
