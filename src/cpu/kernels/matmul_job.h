// Splits a matrix product into tasks for the thread pool: used by matmul (parts that share their rows) and moe_matmul
// (experts with rows of their own).
#pragma once

#include "base/thread_pool.h"
#include "cpu/kernels/matmul_bfloat16.h"
#include "cpu/kernels/matmul_matrix_panels.h"

namespace rf::cpu {
namespace {

/// One matrix with the prepared rows that it multiplies.
struct Product {
  PanelTask task;
  RowRun rows;
  int64_t n_panels;
  int64_t panels_per_task;
  int64_t n_chunks;    ///< of rows
  int64_t chunk_rows;  ///< a multiple of kTileTokens and of kMatrixTokens
  int64_t first_task;  ///< number of the product's first task
};

/// Where the rows to be prepared come from.
struct RowSource {
  const float* x;
  int64_t stride;
  const int32_t* row_of;  ///< prepared row a is x's row row_of[a]; null: row a
};

struct Job {
  PreparedRows x;
  RowSource source;
  const Product* products;
  int64_t n_products;
  Scratch* scratch;  ///< one for each thread
  BFloat16Scratch* bfloat16_scratch;
};

inline int64_t DivideUp(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

/// Bytes of weights that a task should read at least, so that handing it out costs little.
inline constexpr int64_t kTaskBytes = 24 * 1024;
/// Activations of a chunk stay in a core's second-level cache.
inline constexpr int64_t kChunkBytes = 256 * 1024;
inline constexpr int64_t kMatrixChunkBytes = 1024 * 1024;

/// SplitProduct for bfloat16: as many rows and panels as possible share a task's work, but all threads have some.
inline int64_t SplitBFloat16(Product& product, int n_threads) {
  constexpr int64_t kLeastRows = 4 * kMatrixTokens;
  product.task.by_bfloat16 = true;
  const int64_t n_tiles = DivideUp(product.rows.count, 2 * kMatrixTokens);
  const int64_t n_chunks = DivideUp(n_tiles * 2 * kMatrixTokens, kBFloat16ChunkRows);
  product.chunk_rows = DivideUp(n_tiles, n_chunks) * 2 * kMatrixTokens;
  const int64_t n_pairs = DivideUp(product.n_panels, 2);
  while (n_pairs * DivideUp(product.rows.count, product.chunk_rows) < n_threads && product.chunk_rows > kLeastRows) {
    product.chunk_rows = DivideUp(product.chunk_rows, 4 * kMatrixTokens) * 2 * kMatrixTokens;
  }
  product.n_chunks = DivideUp(product.rows.count, product.chunk_rows);
  const int64_t n_groups = DivideUp(DivideUp(n_pairs, kBFloat16Panels / 2), n_threads) * n_threads;
  product.panels_per_task = DivideUp(n_pairs, n_groups) * 2;
  return DivideUp(product.n_panels, product.panels_per_task) * product.n_chunks;
}

/// Decides how a product is split; returns the number of its tasks.
inline int64_t SplitProduct(Product& product, const PreparedRows& x, int n_threads) {
  const WeightView& weight = product.task.weight;
  product.n_panels = PanelCount(weight.n_rows);
  if (HasBFloatsFor(x, product.rows.count) && TileKernelsOf(weight.format, weight.layout).has_bfloat16()) {
    return SplitBFloat16(product, n_threads);
  }
  const bool by_matrix = IsForMatrix(TileKernelsOf(weight.format, weight.layout), product.rows.count);
  product.task.by_matrix = by_matrix;
  const int64_t chunk_bytes = by_matrix ? kMatrixChunkBytes : kChunkBytes;
  const int64_t row_bytes = weight.n_cols * (by_matrix ? 4 : 2);
  const int64_t fitting_rows = chunk_bytes / row_bytes / kMatrixTokens * kMatrixTokens;
  const int64_t least_rows = by_matrix ? 2 * kMatrixTokens : 16 * kTileTokens;
  product.chunk_rows = fitting_rows < least_rows ? least_rows : fitting_rows > kChunkRows ? kChunkRows : fitting_rows;
  product.n_chunks = DivideUp(product.rows.count, product.chunk_rows);
  const int64_t panel_bytes = RowBytes(GetFormatInfo(weight.format), weight.n_cols) * kPanelRows;
  product.panels_per_task = by_matrix                              ? kMatrixPanels
                            : product.rows.count > kUnpackFromRows ? 2
                                                                   : DivideUp(kTaskBytes, panel_bytes);
  return DivideUp(product.n_panels, product.panels_per_task) * product.n_chunks;
}

/// A region of tasks for each chunk of a product (TaskRegions): each goes once through the panels of the weight.
inline int64_t CountRegions(const Product* products, int64_t n_products) {
  int64_t count = 0;
  for (int64_t p = 0; p < n_products; ++p) count += products[p].n_chunks;
  return count;
}
inline int64_t EndOfRegion(const void* context, int64_t region) {
  const Job& job = *static_cast<const Job*>(context);
  const Product* product = job.products;
  while (region >= product->n_chunks) region -= product++->n_chunks;
  return product->first_task + (region + 1) * DivideUp(product->n_panels, product->panels_per_task);
}

/// How a product that was split is computed, for people.
inline const char* VariantOf(const Product& product) {
  if (product.task.by_bfloat16) return "bfloat16";
  if (product.task.by_matrix) return "matrix unit";
  const WeightView& weight = product.task.weight;
  const int64_t n_rows = product.rows.count < product.chunk_rows ? product.rows.count : product.chunk_rows;
  switch (StretchKind(TileKernelsOf(weight.format, weight.layout), weight.layout, n_rows)) {
    case PanelStretch::Kind::kPacked: return "packed panels";
    case PanelStretch::Kind::kCoded: return "rows of the file";
    case PanelStretch::Kind::kUnpacked: return "unpacked panels";
    default: return "floats";
  }
}

/// One task: some panels of one product, for one chunk of its rows.
inline void RunTask(void* context, int64_t task_number, int thread) {
  const Job& job = *static_cast<const Job*>(context);
  int64_t p = 0;
  while (p + 1 < job.n_products && task_number >= job.products[p + 1].first_task) ++p;
  const Product& product = job.products[p];
  const int64_t within = task_number - product.first_task;
  const int64_t tasks_per_chunk = DivideUp(product.n_panels, product.panels_per_task);
  const int64_t chunk = within / tasks_per_chunk;
  const int64_t first_panel = within % tasks_per_chunk * product.panels_per_task;
  const int64_t done = chunk * product.chunk_rows;
  const int64_t left = product.rows.count - done;
  const RowRun rows{product.rows.first + done, left < product.chunk_rows ? left : product.chunk_rows,
                    product.rows.first_tile + done / kMatrixTokens};
  const int64_t left_panels = product.n_panels - first_panel;
  const int64_t n_panels = left_panels < product.panels_per_task ? left_panels : product.panels_per_task;
  if (product.task.by_bfloat16) {
    [[maybe_unused]] const MatrixUnit unit;
    MultiplyByBFloat16(product.task, first_panel, n_panels, job.x, rows, job.bfloat16_scratch[thread]);
    return;
  }
  if (product.task.by_matrix) {
    [[maybe_unused]] const MatrixUnit unit;
    MultiplyByMatrix(product.task, first_panel, n_panels, job.x, rows, job.scratch[thread]);
    return;
  }
  for (int64_t panel = first_panel; panel < first_panel + n_panels; ++panel) {
    MultiplyPanel(product.task, panel, job.x, rows, job.scratch[thread]);
  }
}

inline const float* SourceRow(const Job& job, int64_t row) {
  return job.source.x + (job.source.row_of == nullptr ? row : job.source.row_of[row]) * job.source.stride;
}

/// Prepares kTileTokens rows for a matrix unit, or what the run has left and the zeros that make its last tile whole.
template <class PrepareRow>
void PrepareMatrixRows(const Job& job, const RowRun& rows, int64_t done, PrepareRow prepare_row) {
  const bool is_last = done + kTileTokens >= rows.count;
  const int64_t end = is_last ? DivideUp(rows.count, kMatrixTokens) * kMatrixTokens : done + kTileTokens;
  for (int64_t i = done; i < end; ++i) {
    const float* x = i < rows.count ? SourceRow(job, rows.first + i) : nullptr;
    prepare_row(x, job.x, rows.first_tile + i / kMatrixTokens, static_cast<int>(i % kMatrixTokens));
  }
}

/// Prepares one tile of each product's rows; tiles are numbered through the products, which share rows (matmul: only
/// the first counts) or follow one another (moe_matmul).
inline void PrepareTile(const Job& job, const RowRun& rows, int64_t tile) {
  const int64_t done = tile * kTileTokens;
  const int n_tokens = TileTokens(rows, done);
  const bool has_bfloats = HasBFloatsFor(job.x, rows.count);
  const bool has_integers = !has_bfloats && job.x.HasIntegersFor(rows.count);
  const bool has_values = job.x.values != nullptr && (!has_bfloats || job.x.many_read_values);
  for (int token = 0; token < n_tokens; ++token) {
    const float* x = SourceRow(job, rows.first + done + token);
    if (has_integers) PrepareIntegers(x, job.x, rows.first + done, token, n_tokens);
    if (has_values) PrepareValues(x, job.x, rows.first + done, token, n_tokens);
  }
  if (has_bfloats) {
    PrepareMatrixRows(job, rows, done, PrepareBFloat16Row);
  } else if (job.x.HasMatrixFor(rows.count)) {
    PrepareMatrixRows(job, rows, done, PrepareMatrixRow);
  }
}

/// Workspace: the prepared rows, one Scratch for each thread, then what the op itself needs. All offsets in bytes.
struct JobMemory {
  size_t pairs = 0;
  size_t scales = 0;
  size_t quads = 0;
  size_t values = 0;
  size_t matrix[kMatrixForms] = {};
  size_t bfloats = 0;
  size_t scratch = 0;
  size_t bfloat16_scratch = 0;
  size_t rest = 0;  ///< end of the above
};

inline size_t AlignedBytes(int64_t bytes) {
  return (static_cast<size_t>(bytes) + 63) / 64 * 64;
}

/// Which forms of the activations some weight's kernels read.
struct ActivationForms {
  bool integers = false;
  bool quads = false;
  bool floats = false;
  bool matrix[kMatrixForms] = {};
  bool many_read_pairs = false;  ///< see PreparedRows
  bool bfloats = false;
  bool many_read_values = false;

  /// A reader of n_rows rows at most. What smaller batches read has its place in any case, so that the memory grows
  /// with the rows.
  void AddReader(const TileKernels& kernels, int64_t n_rows, Precision precision) {
    const bool can_read_bfloats = precision == Precision::kBFloat16 && kernels.has_bfloat16();
    bfloats = bfloats || (can_read_bfloats && n_rows >= kBFloat16FromRows);
    many_read_values = many_read_values || !can_read_bfloats;
    if (!kernels.is_integer()) {
      floats = true;
      return;
    }
    integers = true;
    quads = quads || kernels.reads_quads();
    if (IsForMatrix(kernels, n_rows)) {
      matrix[static_cast<int>(kernels.matrix_form)] = true;
    } else {
      many_read_pairs = true;
    }
  }
};

/// n_runs: of rows that are multiplied apart.
inline JobMemory PlanMemory(int64_t n_rows, int64_t n_runs, int64_t d_in, const ActivationForms& forms, int n_threads) {
  JobMemory memory;
  memory.scales = forms.integers ? AlignedBytes(n_rows * d_in / 2 * 4) : 0;
  memory.quads = memory.scales + (forms.integers ? AlignedBytes(n_rows * d_in / kBlock * kBlockNumbers * 4) : 0);
  memory.values = memory.quads + (forms.quads ? AlignedBytes(n_rows * d_in / kBlock * kQuadsBytes) : 0);
  size_t end = memory.values + (forms.floats ? AlignedBytes(n_rows * d_in * 4) : 0);
  const int64_t n_tiles = n_rows / kMatrixTokens + n_runs;
  for (int form = 0; form < kMatrixForms; ++form) {
    memory.matrix[form] = end;
    if (forms.matrix[form]) end += static_cast<size_t>(n_tiles * d_in / kBlock) * sizeof(MatrixBlock);
  }
  memory.bfloats = end;
  if (forms.bfloats) end += static_cast<size_t>(n_tiles * BFloat16Blocks(d_in) * kMatrixTokens * kBlock * 2);
  memory.scratch = end;
  memory.bfloat16_scratch = memory.scratch + static_cast<size_t>(n_threads) * sizeof(Scratch);
  memory.rest = memory.bfloat16_scratch;
  if (forms.bfloats) memory.rest += static_cast<size_t>(n_threads) * sizeof(BFloat16Scratch);
  return memory;
}

inline PreparedRows PlacePreparedRows(const JobMemory& memory, const ActivationForms& forms, uint8_t* workspace,
                                      int64_t d_in) {
  PreparedRows x;
  x.d_in = d_in;
  x.many_read_pairs = forms.many_read_pairs;
  x.many_read_values = forms.many_read_values;
  if (forms.bfloats) x.bfloats = reinterpret_cast<uint16_t*>(workspace + memory.bfloats);
  if (forms.integers) x.pairs = reinterpret_cast<int32_t*>(workspace + memory.pairs);
  if (forms.integers) x.scales = reinterpret_cast<float*>(workspace + memory.scales);
  if (forms.quads) x.quads = workspace + memory.quads;
  if (forms.floats) x.values = reinterpret_cast<float*>(workspace + memory.values);
  for (int form = 0; form < kMatrixForms; ++form) {
    if (forms.matrix[form]) x.matrix[form] = reinterpret_cast<MatrixBlock*>(workspace + memory.matrix[form]);
  }
  return x;
}

/// Values to be prepared above which the pool shares the work.
inline constexpr int64_t kPrepareAlone = 8192;

}  // namespace
}  // namespace rf::cpu
