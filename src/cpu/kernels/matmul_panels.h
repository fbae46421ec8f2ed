// Multiplies a run of prepared rows by a run of panels: the loops around the tiles.
#pragma once

#include "cpu/kernels/matmul_kernels.h"

namespace rf::cpu {
namespace {

/// Columns that are unpacked at a time: 16 rows of them in 16 bits are 8 KiB.
inline constexpr int64_t kStretch = 256;
/// From this many rows on, a panel is unpacked once instead of once for each tile.
inline constexpr int64_t kUnpackFromRows = 2 * kTileTokens + 1;
/// Rows that one task takes at most, so that their sums stay in the cache.
inline constexpr int64_t kChunkRows = 256;

/// One thread's scratch memory.
struct Scratch {
  alignas(64) float sums[kChunkRows * kPanelRows];
  alignas(64) int32_t pairs[kStretch / 2 * kPanelRows];  // also floats of one stretch
  alignas(64) int32_t more[kStretch / 2 * kPanelRows];
  alignas(64) float scales[kStretch / kBlock * 3 * kPanelRows];
  alignas(64) float row[kStretch];
};

/// One weight matrix and what becomes of its products.
struct PanelTask {
  WeightView weight;            ///< of one matrix: data points at its first panel or row
  const float* bias = nullptr;  ///< [n_rows] or absent
  const float* residual = nullptr;
  int64_t residual_stride = 0;
  float* y = nullptr;
  int64_t y_stride = 0;
  const int32_t* y_rows = nullptr;  ///< prepared row a belongs to y's row y_rows[a]; null: row a
};

/// A run of prepared rows whose tiles begin at `first` (tiles are counted from there).
struct RowRun {
  int64_t first;
  int64_t count;
};

inline int TileTokens(const RowRun& rows, int64_t done) {
  const int64_t left = rows.count - done;
  return static_cast<int>(left < kTileTokens ? left : kTileTokens);
}

/// Unpacks columns [first_col, first_col + n_cols) of 16 rows in the file's layout to F32 columns.
inline void UnpackFileRows(const WeightView& weight, int64_t first_row, int64_t first_col, int64_t n_cols,
                           Scratch& scratch) {
  const FormatInfo& info = GetFormatInfo(weight.format);
  const int64_t row_bytes = RowBytes(info, weight.n_cols);
  const auto* source = static_cast<const uint8_t*>(weight.data) + first_row * row_bytes + RowBytes(info, first_col);
  auto* columns = reinterpret_cast<float*>(scratch.pairs);
  for (int r = 0; r < kPanelRows; ++r, source += row_bytes) {
    const bool exists = first_row + r < weight.n_rows;
    if (exists) info.unpack(source, n_cols, scratch.row);
    for (int64_t i = 0; i < n_cols; ++i) columns[i * kPanelRows + r] = exists ? scratch.row[i] : 0.0f;
  }
}

inline void MultiplyFloatStretch(const TileKernels& kernels, const uint8_t* columns, int64_t first_col, int64_t n_cols,
                                 const PreparedRows& x, const RowRun& rows, float* sums) {
  for (int64_t done = 0; done < rows.count; done += kTileTokens) {
    const int n_tokens = TileTokens(rows, done);
    const float* values = x.values + (rows.first + done) * x.d_in + first_col * n_tokens;
    kernels.floating[n_tokens](columns, n_cols, values, sums + done * kPanelRows);
  }
}

inline void MultiplyDirect(const TileKernels& kernels, const uint8_t* panel, const PreparedRows& x, const RowRun& rows,
                           float* sums) {
  const int64_t n_records = x.d_in / kernels.layout.record_weights;
  for (int64_t done = 0; done < rows.count; done += kTileTokens) {
    const int n_tokens = TileTokens(rows, done);
    kernels.direct[n_tokens](panel, n_records, IntegersFrom(x, rows.first + done, 0, n_tokens),
                             sums + done * kPanelRows);
  }
}

inline void MultiplyUnpacked(const TileKernels& kernels, const uint8_t* panel, const PreparedRows& x,
                             const RowRun& rows, Scratch& scratch) {
  const UnpackedPanel unpacked{scratch.pairs, scratch.scales};
  for (int64_t col = 0; col < x.d_in; col += kStretch) {
    const int64_t n_cols = x.d_in - col < kStretch ? x.d_in - col : kStretch;
    kernels.unpack(panel + PanelBytes(kernels.layout, col), n_cols / kernels.layout.record_weights, unpacked);
    for (int64_t done = 0; done < rows.count; done += kTileTokens) {
      const int n_tokens = TileTokens(rows, done);
      kernels.unpacked[n_tokens](unpacked, n_cols / kBlock, IntegersFrom(x, rows.first + done, col, n_tokens),
                                 scratch.sums + done * kPanelRows);
    }
  }
}

/// (sum + bias) + residual for one row's 16 outputs of a panel.
inline void StoreSums(const PanelTask& task, const float* sums, int64_t row, int64_t first_output) {
  float* y = task.y + row * task.y_stride + first_output;
  const float* residual =
      task.residual == nullptr ? nullptr : task.residual + row * task.residual_stride + first_output;
  const int64_t left = task.weight.n_rows - first_output;
  const int n = static_cast<int>(left < kPanelRows ? left : kPanelRows);
  for (int i = 0; i < n; ++i) {
    float value = sums[i];
    if (task.bias != nullptr) value += task.bias[first_output + i];
    if (residual != nullptr) value += residual[i];
    y[i] = value;
  }
}

/// y = x * W^T for one panel and up to kChunkRows rows.
inline void MultiplyPanel(const PanelTask& task, int64_t panel_index, const PreparedRows& x, const RowRun& rows,
                          Scratch& scratch) {
  const TileKernels& kernels = KernelsOf(task.weight.format, task.weight.layout);
  for (int64_t i = 0; i < rows.count; ++i) StoreFloats(scratch.sums + i * kPanelRows, ZeroFloats());
  if (task.weight.layout == kFileLayout) {
    for (int64_t col = 0; col < x.d_in; col += kStretch) {
      const int64_t n_cols = x.d_in - col < kStretch ? x.d_in - col : kStretch;
      UnpackFileRows(task.weight, panel_index * kPanelRows, col, n_cols, scratch);
      MultiplyFloatStretch(kernels, reinterpret_cast<const uint8_t*>(scratch.pairs), col, n_cols, x, rows,
                           scratch.sums);
    }
  } else {
    const auto* panel =
        static_cast<const uint8_t*>(task.weight.data) + panel_index * PanelBytes(kernels.layout, x.d_in);
    if (!kernels.is_integer()) {
      MultiplyFloatStretch(kernels, panel, 0, x.d_in, x, rows, scratch.sums);
    } else if (rows.count < kUnpackFromRows) {
      MultiplyDirect(kernels, panel, x, rows, scratch.sums);
    } else {
      MultiplyUnpacked(kernels, panel, x, rows, scratch);
    }
  }
  for (int64_t i = 0; i < rows.count; ++i) {
    const int64_t row = task.y_rows == nullptr ? rows.first + i : task.y_rows[rows.first + i];
    StoreSums(task, scratch.sums + i * kPanelRows, row, panel_index * kPanelRows);
  }
}

}  // namespace
}  // namespace rf::cpu
