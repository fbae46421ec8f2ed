// Each token's products with its own experts. The tokens are grouped by expert, so that an expert's weights are read
// once; each group is then a matrix product like any other.
#include "cpu/kernels/matmul_job.h"
#include "cpu/kernels/register.h"

namespace rf::cpu {
namespace {

/// Workspace: JobMemory's, then the order of the rows, then one Product for each expert.
struct MoeMemory {
  JobMemory job;
  size_t y_rows = 0;
  size_t x_rows = 0;
  size_t products = 0;
  size_t total = 0;
};

ActivationForms FormsOf(const MoeMatMul::Args& args, Precision precision) {
  ActivationForms forms;
  forms.AddReader(TileKernelsOf(args.weight.format, args.weight.layout), args.ids.n_rows * args.ids.n_cols, precision);
  return forms;
}

MoeMemory MemoryOf(const MoeMatMul::Args& args, const ActivationForms& forms, int n_threads) {
  const int64_t n_rows = args.ids.n_rows * args.ids.n_cols;
  MoeMemory memory;
  memory.job = PlanMemory(n_rows, args.weight.n_matrices, args.weight.n_cols, forms, n_threads);
  memory.y_rows = memory.job.rest;
  memory.x_rows = memory.y_rows + AlignedBytes(n_rows * 4);
  memory.products = memory.x_rows + AlignedBytes(n_rows * 4);
  memory.total = memory.products + AlignedBytes(args.weight.n_matrices * static_cast<int64_t>(sizeof(Product)));
  return memory;
}

size_t MatrixBytes(const WeightView& weight) {
  if (weight.layout == kFileLayout) {
    return static_cast<size_t>(weight.n_rows * RowBytes(GetFormatInfo(weight.format), weight.n_cols));
  }
  return static_cast<size_t>(PanelCount(weight.n_rows) * PanelBytes(LayoutOf(weight.format), weight.n_cols));
}

int32_t ExpertOf(const MoeMatMul::Args& args, int64_t y_row) {
  const int64_t n_used = args.ids.n_cols;
  return static_cast<const int32_t*>(args.ids.data)[y_row / n_used * args.ids.row_stride + y_row % n_used];
}

/// Gives each expert the run of prepared rows that follows the runs of the experts before it.
void CountRows(const MoeMatMul::Args& args, int64_t n_rows, Product* products) {
  for (int64_t e = 0; e < args.weight.n_matrices; ++e) products[e].rows = {0, 0};
  for (int64_t row = 0; row < n_rows; ++row) ++products[ExpertOf(args, row)].rows.count;
  for (int64_t e = 1; e < args.weight.n_matrices; ++e) {
    products[e].rows.first = products[e - 1].rows.first + products[e - 1].rows.count;
  }
}

/// Sorts the products by expert: prepared row a goes to y's row y_rows[a] and comes from x's row x_rows[a]. Leaves one
/// Product for each expert that has rows; returns how many.
int64_t GroupByExpert(const MoeMatMul::Args& args, int32_t* y_rows, int32_t* x_rows, Product* products) {
  const int64_t n_used = args.ids.n_cols;
  const int64_t n_rows = args.ids.n_rows * n_used;
  const bool x_is_shared = args.x.n_rows == args.ids.n_rows;
  CountRows(args, n_rows, products);
  for (int64_t e = 0; e < args.weight.n_matrices; ++e) products[e].rows.count = 0;
  for (int64_t row = 0; row < n_rows; ++row) {
    RowRun& run = products[ExpertOf(args, row)].rows;
    const int64_t place = run.first + run.count++;
    y_rows[place] = static_cast<int32_t>(row);
    x_rows[place] = static_cast<int32_t>(x_is_shared ? row / n_used : row);
  }
  int64_t n_products = 0;
  for (int64_t e = 0; e < args.weight.n_matrices; ++e) {
    const RowRun run = products[e].rows;
    if (run.count == 0) continue;
    Product& product = products[n_products];
    product = Product{};
    product.rows = {run.first, run.count, run.first / kMatrixTokens + n_products++};
    product.task.weight = args.weight;
    product.task.weight.n_matrices = 1;
    product.task.weight.data =
        static_cast<const uint8_t*>(args.weight.data) + static_cast<size_t>(e) * MatrixBytes(args.weight);
    product.task.y = static_cast<float*>(args.y.data);
    product.task.y_stride = args.y.row_stride;
    product.task.y_rows = y_rows;
  }
  return n_products;
}

void PrepareExpert(void* context, int64_t p, int) {
  const Job& job = *static_cast<const Job*>(context);
  const RowRun& rows = job.products[p].rows;
  for (int64_t tile = 0; tile < DivideUp(rows.count, kTileTokens); ++tile) PrepareTile(job, rows, tile);
}

template <Precision kPrecision>
void Launch(void* context, const MoeMatMul::Args& args) {
  const CpuContext& cpu = *static_cast<const CpuContext*>(context);
  ThreadPool& pool = *cpu.pool;
  const ActivationForms forms = FormsOf(args, kPrecision);
  const MoeMemory memory = MemoryOf(args, forms, pool.n_threads());
  auto* workspace = static_cast<uint8_t*>(cpu.workspace);
  auto* y_rows = reinterpret_cast<int32_t*>(workspace + memory.y_rows);
  auto* x_rows = reinterpret_cast<int32_t*>(workspace + memory.x_rows);
  auto* products = reinterpret_cast<Product*>(workspace + memory.products);

  const PreparedRows x = PlacePreparedRows(memory.job, forms, workspace, args.weight.n_cols);
  const int64_t n_products = GroupByExpert(args, y_rows, x_rows, products);
  int64_t n_tasks = 0;
  for (int64_t p = 0; p < n_products; ++p) {
    products[p].first_task = n_tasks;
    n_tasks += SplitProduct(products[p], x, pool.n_threads());
  }
  Job job{x,
          {static_cast<const float*>(args.x.data), args.x.row_stride, x_rows},
          products,
          n_products,
          reinterpret_cast<Scratch*>(workspace + memory.job.scratch),
          reinterpret_cast<BFloat16Scratch*>(workspace + memory.job.bfloat16_scratch)};
  if (n_tasks == 0) return;
  pool.Run(n_products, PrepareExpert, &job);
  pool.Run(n_tasks, RunTask, &job, {CountRegions(products, n_products), EndOfRegion});
}

template <Precision kPrecision>
size_t WorkspaceBytes(const MoeMatMul::Args& args, int n_threads) {
  return MemoryOf(args, FormsOf(args, kPrecision), n_threads).total;
}

}  // namespace

void RF_ISA::RegisterMoeMatMul(KernelTable& table) {
#define RF_FORMAT(Name, ...)                                                                           \
  table.moe_matmul.Set(Format::k##Name, {Launch<Precision::kExact>, WorkspaceBytes<Precision::kExact>, \
                                         RF_KERNEL_NAME("moe_matmul_" #Name), BestLayoutOf(Format::k##Name)});
#include "quant/formats.def"
#undef RF_FORMAT
}

bool RF_ISA::RegisterMoeMatMulBFloat16(KernelTable& table) {
  if constexpr (kBFloat16FromRows == INT64_MAX) return false;
#define RF_FORMAT(Name, ...)                                                                            \
  if (TileKernelsOf(Format::k##Name, BestLayoutOf(Format::k##Name)).has_bfloat16()) {                   \
    table.moe_matmul.Set(Format::k##Name,                                                               \
                         {Launch<Precision::kBFloat16>, WorkspaceBytes<Precision::kBFloat16>,           \
                          RF_KERNEL_NAME("moe_matmul_" #Name "_bf16"), BestLayoutOf(Format::k##Name)}); \
  }
#include "quant/formats.def"
#undef RF_FORMAT
  return true;
}

}  // namespace rf::cpu
