// Brings a weight of a matrix product from the file's layout into panels (cpu/pack_layout.h). Plain baseline code: the
// layout is the same for every instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/thread_pool.h"
#include "ops/tensor.h"

namespace rf::cpu {

/// The shape of a weight to be packed: [n_matrices, n_rows, n_cols].
struct PackShape {
  Format format = Format::kF32;
  int64_t n_matrices = 1;
  int64_t n_rows = 0;
  int64_t n_cols = 0;
};

/// Whether kernels have a packed layout for the weight: for the formats of LayoutOf(), whose rows divide into records.
/// A weight without one is read in the file's layout.
bool HasPanelLayout(const PackShape& shape);

/// Bytes of the packed weight. REQUIRES: HasPanelLayout(shape) and that the weight's file size was checked, so that
/// nothing overflows: the result is below 1.25 times the file's size plus 15 rows for each matrix.
size_t PackedBytes(const PackShape& shape);

/// Packs `file_bytes` ([n_matrices, n_rows] rows of RowBytes(n_cols)) into `packed`, PackedBytes() bytes, in parallel.
void PackPanels(const PackShape& shape, const void* file_bytes, void* packed, ThreadPool& pool);

}  // namespace rf::cpu
