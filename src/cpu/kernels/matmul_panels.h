// Multiplies a run of prepared rows by a run of panels: the loops around the tiles.
#pragma once

#include "cpu/kernels/matmul_activations.h"

namespace rf::cpu {
namespace {

/// Columns that are unpacked at a time: 16 rows of them in 16 bits are 8 KiB.
inline constexpr int64_t kStretch = 256;
/// From this many rows on, a panel is unpacked once instead of once for each tile.
inline constexpr int64_t kUnpackFromRows = 2 * kTileTokens + 1;
/// Rows that one task takes at most, so that their sums stay in the cache.
inline constexpr int64_t kChunkRows = 256;

/// A stretch of one panel as it is unpacked, and what its products come to.
struct PanelScratch {
  alignas(64) float sums[kChunkRows * kPanelRows];
  alignas(64) int32_t pairs[kStretch * kPanelRows];              // pairs of 16-bit integers (half of it), or floats
  alignas(64) float scales[kStretch / kBlock * 4 * kPanelRows];  // two scales and two minimums at most
};

/// One thread's scratch memory.
struct Scratch {
  PanelScratch panels[kMatrixPanels];
  alignas(64) uint8_t planes[kStretch / kBlock * 8 * kWordPlane];
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
  bool by_matrix = false;           ///< whether the matrix unit multiplies it
  bool by_bfloat16 = false;         ///< whether it is multiplied in bfloat16
};

/// A run of prepared rows whose tiles begin at `first` (tiles are counted from there).
struct RowRun {
  int64_t first;
  int64_t count;
  int64_t first_tile = 0;  ///< number of the first of its tiles for a matrix unit
};

inline bool IsForMatrix(const TileKernels& kernels, int64_t n_rows) {
  return kernels.matrix != nullptr && n_rows >= kMatrixFromRows;
}

/// Rows of the tile, of tile_rows rows at most, that begins `done` rows behind the run's first.
inline int TileTokens(const RowRun& rows, int64_t done, int tile_rows = kTileTokens) {
  const int64_t left = rows.count - done;
  return static_cast<int>(left < tile_rows ? left : tile_rows);
}

/// The rows of a panel in the file's layout, from first_col on.
inline FileRows FileRowsOf(const WeightView& weight, int64_t first_row, int64_t first_col) {
  const FormatInfo& info = GetFormatInfo(weight.format);
  const int64_t row_bytes = RowBytes(info, weight.n_cols);
  const int64_t left = weight.n_rows - first_row;
  return {static_cast<const uint8_t*>(weight.data) + first_row * row_bytes + RowBytes(info, first_col), row_bytes,
          static_cast<int>(left < kPanelRows ? left : kPanelRows)};
}

/// A packed panel from first_col on.
inline const uint8_t* PackedFrom(const WeightView& weight, const PanelLayout& layout, int64_t panel,
                                 int64_t first_col) {
  return static_cast<const uint8_t*>(weight.data) + panel * PanelBytes(layout, weight.n_cols) +
         PanelBytes(layout, first_col);
}

/// Unpacks n_cols columns of them to F32 columns.
inline void UnpackFileRows(const FileRows& rows, Format format, int64_t n_cols, Scratch& scratch) {
  const FormatInfo& info = GetFormatInfo(format);
  auto* columns = reinterpret_cast<float*>(scratch.panels[0].pairs);
  for (int r = 0; r < kPanelRows; ++r) {
    const bool exists = r < rows.n_rows;
    if (exists) info.unpack(rows.first + r * rows.row_bytes, n_cols, scratch.row);
    for (int64_t i = 0; i < n_cols; ++i) columns[i * kPanelRows + r] = exists ? scratch.row[i] : 0.0f;
  }
}

/// A stretch of one panel, ready for the tiles: packed, rows read as bytes, unpacked, or columns of floats.
struct PanelStretch {
  enum class Kind { kPacked, kCoded, kUnpacked, kFloats };
  Kind kind;
  const uint8_t* bytes;  ///< packed records, rows as bytes or columns
  UnpackedPanel unpacked;
  int64_t first_col;
  int64_t n_cols;
};

/// How the panels of a weight are read for so many rows.
inline PanelStretch::Kind StretchKind(const TileKernels& kernels, WeightLayout layout, int64_t n_rows) {
  if (!kernels.is_integer()) return PanelStretch::Kind::kFloats;
  if (n_rows >= kUnpackFromRows) return PanelStretch::Kind::kUnpacked;
  return layout != kFileLayout ? PanelStretch::Kind::kPacked : PanelStretch::Kind::kCoded;
}

/// Columns of a stretch: all of them where tiles read the panel as it is, else at most kStretch, about the same each
/// time.
inline int64_t StretchColumns(const TileKernels& kernels, PanelStretch::Kind kind, bool is_packed, int64_t d_in) {
  if (kind == PanelStretch::Kind::kPacked || (kind == PanelStretch::Kind::kFloats && is_packed)) return d_in;
  const int64_t n_stretches = (d_in + kStretch - 1) / kStretch;
  const int64_t unit = is_packed ? kernels.layout.record_weights : kStretch;
  return (d_in / n_stretches + unit - 1) / unit * unit;
}

inline PanelStretch PrepareStretch(const PanelTask& task, const TileKernels& kernels, PanelStretch::Kind kind,
                                   int64_t panel_index, int64_t first_col, int64_t n_cols, Scratch& scratch) {
  PanelScratch& panel = scratch.panels[0];
  PanelStretch stretch{kind, nullptr, {panel.pairs, panel.scales}, first_col, n_cols};
  if (task.weight.layout == kFileLayout) {
    const FileRows rows = FileRowsOf(task.weight, panel_index * kPanelRows, first_col);
    if (kind == PanelStretch::Kind::kCoded) {
      kernels.read_rows(rows, n_cols / kBlock, scratch.planes, panel.scales);
      stretch.bytes = scratch.planes;
    } else if (kernels.is_integer()) {
      kernels.unpack_rows(rows, n_cols / kBlock, scratch.planes, stretch.unpacked);
    } else {
      UnpackFileRows(rows, task.weight.format, n_cols, scratch);
      stretch.bytes = reinterpret_cast<const uint8_t*>(panel.pairs);
    }
    return stretch;
  }
  stretch.bytes = PackedFrom(task.weight, kernels.layout, panel_index, first_col);
  if (kind == PanelStretch::Kind::kUnpacked) {
    kernels.unpack(stretch.bytes, n_cols / kernels.layout.record_weights, stretch.unpacked);
  }
  return stretch;
}

inline void MultiplyTile(const TileKernels& kernels, const PanelStretch& stretch, const PreparedRows& x,
                         int64_t first_row, int n_tokens, float* sums) {
  if (stretch.kind == PanelStretch::Kind::kFloats) {
    const float* values = x.values + first_row * x.d_in + stretch.first_col * n_tokens;
    kernels.floating[n_tokens](stretch.bytes, stretch.n_cols, values, sums);
    return;
  }
  const IntegerTile tile = IntegersFrom(x, first_row, stretch.first_col, n_tokens);
  if (stretch.kind == PanelStretch::Kind::kCoded) {
    kernels.coded({stretch.bytes, stretch.unpacked.scales}, stretch.n_cols / kBlock, tile, n_tokens, sums);
  } else if (stretch.kind == PanelStretch::Kind::kPacked) {
    kernels.direct[n_tokens](stretch.bytes, stretch.n_cols / kernels.layout.record_weights, tile, sums);
  } else {
    kernels.unpacked[n_tokens](stretch.unpacked, stretch.n_cols / kBlock, tile, sums);
  }
}

inline int64_t OutputRow(const PanelTask& task, int64_t row) {
  return task.y_rows == nullptr ? row : task.y_rows[row];
}

/// (sum + bias) + residual for the 16 outputs of one row, or as many as the weight has rows left.
inline void StoreSums(const PanelTask& task, const float* sums, int64_t row, int64_t first_output) {
  float* y = task.y + row * task.y_stride + first_output;
  const float* bias = task.bias == nullptr ? nullptr : task.bias + first_output;
  const float* residual =
      task.residual == nullptr ? nullptr : task.residual + row * task.residual_stride + first_output;
  const int64_t left = task.weight.n_rows - first_output;
  if (left >= kPanelRows) {
    Floats value = LoadFloats(sums);
    if (bias != nullptr) value = Add(value, LoadFloats(bias));
    if (residual != nullptr) value = Add(value, LoadFloats(residual));
    StoreFloats(y, value);
    return;
  }
  for (int i = 0; i < left; ++i) {
    float value = sums[i];
    if (bias != nullptr) value += bias[i];
    if (residual != nullptr) value += residual[i];
    y[i] = value;
  }
}

/// Tiles by which the outputs' cache lines are fetched ahead: they lie a row apart, often a page each.
inline constexpr int64_t kPrefetchTiles = 3;

inline void PrefetchOutputs(const PanelTask& task, const RowRun& rows, int64_t first, int64_t first_output,
                            int tile_rows = kTileTokens) {
  for (int64_t i = first; i < first + tile_rows && i < rows.count; ++i) {
    const int64_t row = OutputRow(task, rows.first + i);
    __builtin_prefetch(task.y + row * task.y_stride + first_output, 1);
    if (task.residual != nullptr) {
      __builtin_prefetch(task.residual + row * task.residual_stride + first_output, 0);
    }
  }
}

/// y = x * W^T for one panel and up to kChunkRows rows.
inline void MultiplyPanel(const PanelTask& task, int64_t panel_index, const PreparedRows& x, const RowRun& rows,
                          Scratch& scratch) {
  const TileKernels& kernels = TileKernelsOf(task.weight.format, task.weight.layout);
  const bool is_packed = task.weight.layout != kFileLayout;
  const PanelStretch::Kind kind = StretchKind(kernels, task.weight.layout, rows.count);
  const int64_t first_output = panel_index * kPanelRows;
  const int64_t step = StretchColumns(kernels, kind, is_packed, x.d_in);
  for (int64_t col = 0; col < x.d_in; col += step) {
    const bool is_last = col + step >= x.d_in;
    const PanelStretch stretch =
        PrepareStretch(task, kernels, kind, panel_index, col, is_last ? x.d_in - col : step, scratch);
    for (int64_t done = 0; done < rows.count; done += kTileTokens) {
      const int n_tokens = TileTokens(rows, done);
      float* sums = scratch.panels[0].sums + done * kPanelRows;
      if (is_last) PrefetchOutputs(task, rows, done + kPrefetchTiles * kTileTokens, first_output);
      for (int t = 0; t < n_tokens && col == 0; ++t) StoreFloats(sums + t * kPanelRows, ZeroFloats());
      MultiplyTile(kernels, stretch, x, rows.first + done, n_tokens, sums);
      for (int t = 0; t < n_tokens && is_last; ++t) {
        StoreSums(task, sums + t * kPanelRows, OutputRow(task, rows.first + done + t), first_output);
      }
    }
  }
}

}  // namespace
}  // namespace rf::cpu
