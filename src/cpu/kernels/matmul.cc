// y_p = x * W_p^T (+ bias) (+ residual) for up to three weights. See docs/cpu-kernels.md for the method and its
// figures.
#include "cpu/kernels/matmul_job.h"
#include "cpu/kernels/matmul_kernels.h"
#include "cpu/kernels/register.h"

namespace rf::cpu {
namespace {

ActivationForms FormsOf(const MatMul::Args& args, Precision precision) {
  ActivationForms forms;
  for (int p = 0; p < args.n_parts; ++p) {
    const WeightView& weight = args.parts[p].weight;
    forms.AddReader(TileKernelsOf(weight.format, weight.layout), args.x.n_rows, precision);
  }
  return forms;
}

JobMemory MemoryOf(const MatMul::Args& args, const ActivationForms& forms, int n_threads) {
  return PlanMemory(args.x.n_rows, 1, args.x.n_cols, forms, n_threads);
}

Product ProductOf(const MatMul::Args& args, int p) {
  const MatMul::Part& part = args.parts[p];
  Product product{};
  product.task.weight = part.weight;
  product.task.bias = static_cast<const float*>(part.bias.data);
  product.task.y = static_cast<float*>(part.y.data);
  product.task.y_stride = part.y.row_stride;
  if (p == 0) {
    product.task.residual = static_cast<const float*>(args.residual.data);
    product.task.residual_stride = args.residual.row_stride;
  }
  product.rows = {0, args.x.n_rows};
  return product;
}

/// So few rows wait for memory, which a part of the threads may be enough for.
constexpr int64_t kDecodeRows = 16;
/// Tiles that one task prepares.
constexpr int64_t kTilesPerTask = 4;

void PrepareTiles(void* context, int64_t task, int) {
  const Job& job = *static_cast<const Job*>(context);
  const RowRun& rows = job.products[0].rows;
  const int64_t n_tiles = DivideUp(rows.count, kTileTokens);
  for (int64_t tile = task * kTilesPerTask; tile < (task + 1) * kTilesPerTask && tile < n_tiles; ++tile) {
    PrepareTile(job, rows, tile);
  }
}

template <Precision kPrecision>
void Launch(void* context, const MatMul::Args& args) {
  if (args.x.n_rows == 0) return;
  const CpuContext& cpu = *static_cast<const CpuContext*>(context);
  ThreadPool& pool = *cpu.pool;
  const ActivationForms forms = FormsOf(args, kPrecision);
  const JobMemory memory = MemoryOf(args, forms, pool.n_threads());
  auto* workspace = static_cast<uint8_t*>(cpu.workspace);

  const PreparedRows x = PlacePreparedRows(memory, forms, workspace, args.x.n_cols);
  Product products[MatMul::kMaxParts];
  int64_t n_tasks = 0;
  for (int p = 0; p < args.n_parts; ++p) {
    products[p] = ProductOf(args, p);
    products[p].first_task = n_tasks;
    n_tasks += SplitProduct(products[p], x, pool.n_threads());
  }
  Job job{x,
          {static_cast<const float*>(args.x.data), args.x.row_stride, nullptr},
          products,
          args.n_parts,
          reinterpret_cast<Scratch*>(workspace + memory.scratch),
          reinterpret_cast<BFloat16Scratch*>(workspace + memory.bfloat16_scratch)};

  const int64_t n_prepare = DivideUp(args.x.n_rows, kTileTokens * kTilesPerTask);
  if (args.x.n_rows * args.x.n_cols <= kPrepareAlone) {
    for (int64_t i = 0; i < n_prepare; ++i) PrepareTiles(&job, i, 0);
  } else {
    pool.Run(n_prepare, PrepareTiles, &job);
  }
  const bool is_decoding = args.x.n_rows <= kDecodeRows;
  pool.Run(n_tasks, RunTask, &job, {CountRegions(products, args.n_parts), EndOfRegion},
           is_decoding ? cpu.n_decode_threads : 0);
}

template <Precision kPrecision>
void NameVariants(void* context, const MatMul::Args& args, const VariantNames& names) {
  const CpuContext& cpu = *static_cast<const CpuContext*>(context);
  const int n_threads = cpu.pool->n_threads();
  const ActivationForms forms = FormsOf(args, kPrecision);
  const PreparedRows x =
      PlacePreparedRows(MemoryOf(args, forms, n_threads), forms, static_cast<uint8_t*>(cpu.workspace), args.x.n_cols);
  for (int p = 0; p < args.n_parts; ++p) {
    Product product = ProductOf(args, p);
    SplitProduct(product, x, n_threads);
    names.add(names.to, VariantOf(product));
  }
}

template <Precision kPrecision>
size_t WorkspaceBytes(const MatMul::Args& args, int n_threads) {
  return MemoryOf(args, FormsOf(args, kPrecision), n_threads).rest;
}

}  // namespace

void RF_ISA::RegisterMatMul(KernelTable& table) {
#define RF_FORMAT(Name, ...)                                                                                       \
  table.matmul.Set(Format::k##Name,                                                                                \
                   {Launch<Precision::kExact>, WorkspaceBytes<Precision::kExact>, RF_KERNEL_NAME("matmul_" #Name), \
                    BestLayoutOf(Format::k##Name), NameVariants<Precision::kExact>});
#include "quant/formats.def"
#undef RF_FORMAT
}

bool RF_ISA::RegisterMatMulBFloat16(KernelTable& table) {
  if constexpr (kBFloat16FromRows == INT64_MAX) return false;
#define RF_FORMAT(Name, ...)                                                                                   \
  if (TileKernelsOf(Format::k##Name, BestLayoutOf(Format::k##Name)).has_bfloat16()) {                          \
    table.matmul.Set(Format::k##Name, {Launch<Precision::kBFloat16>, WorkspaceBytes<Precision::kBFloat16>,     \
                                       RF_KERNEL_NAME("matmul_" #Name "_bf16"), BestLayoutOf(Format::k##Name), \
                                       NameVariants<Precision::kBFloat16>});                                   \
  }
#include "quant/formats.def"
#undef RF_FORMAT
  return true;
}

}  // namespace rf::cpu
