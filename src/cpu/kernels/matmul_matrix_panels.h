// Multiplies a run of prepared rows by a group of panels with a matrix unit: the loops around its tiles.
#pragma once

#include "cpu/kernels/matmul_panels.h"

namespace rf::cpu {
namespace {

/// Unpacks n_cols columns of a panel for the unit.
inline void UnpackMatrixStretch(const PanelTask& task, const TileKernels& kernels, int64_t panel, int64_t first_col,
                                int64_t n_cols, const UnpackedPanel& out, Scratch& scratch) {
  if (task.weight.layout == kFileLayout) {
    const FileRows rows = FileRowsOf(task.weight, panel * kPanelRows, first_col);
    kernels.unpack_rows_for_matrix(rows, n_cols / kBlock, scratch.planes, out);
  } else {
    const uint8_t* packed = PackedFrom(task.weight, kernels.layout, panel, first_col);
    kernels.unpack_for_matrix(packed, n_cols / kernels.layout.record_weights, out);
  }
}

/// y = x * W^T for up to kMatrixPanels panels and kChunkRows rows. The activations of a tile come from the second-level
/// cache once for all panels.
inline void MultiplyByMatrix(const PanelTask& task, int64_t first_panel, int64_t n_panels, const PreparedRows& x,
                             const RowRun& rows, Scratch& scratch) {
  const TileKernels& kernels = TileKernelsOf(task.weight.format, task.weight.layout);
  const bool is_packed = task.weight.layout != kFileLayout;
  const MatrixBlock* blocks = x.matrix[static_cast<int>(kernels.matrix_form)] + rows.first_tile * (x.d_in / kBlock);
  const int64_t step = StretchColumns(kernels, PanelStretch::Kind::kUnpacked, is_packed, x.d_in);
  for (int64_t col = 0; col < x.d_in; col += step) {
    const bool is_last = col + step >= x.d_in;
    const int64_t n_cols = is_last ? x.d_in - col : step;
    for (int64_t p = 0; p < n_panels; ++p) {
      PanelScratch& panel = scratch.panels[p];
      UnpackMatrixStretch(task, kernels, first_panel + p, col, n_cols, {panel.pairs, panel.scales}, scratch);
    }
    for (int64_t done = 0; done < rows.count; done += kMatrixTokens) {
      const MatrixBlock* tile = blocks + (done / kMatrixTokens * x.d_in + col) / kBlock;
      const int n_tokens = TileTokens(rows, done, kMatrixTokens);
      for (int64_t p = 0; p < n_panels; ++p) {
        PanelScratch& panel = scratch.panels[p];
        const int64_t first_output = (first_panel + p) * kPanelRows;
        float* sums = panel.sums + done * kPanelRows;
        if (is_last) PrefetchOutputs(task, rows, done, first_output, kMatrixTokens);
        for (int t = 0; t < kMatrixTokens && col == 0; ++t) StoreFloats(sums + t * kPanelRows, ZeroFloats());
        kernels.matrix({panel.pairs, panel.scales}, n_cols / kBlock, tile, sums);
        for (int t = 0; t < n_tokens && is_last; ++t) {
          StoreSums(task, sums + t * kPanelRows, OutputRow(task, rows.first + done + t), first_output);
        }
      }
    }
  }
}

}  // namespace
}  // namespace rf::cpu
