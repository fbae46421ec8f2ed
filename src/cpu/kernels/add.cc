#include "cpu/kernels/register.h"
#include "cpu/simd/vec.h"

namespace rf::cpu {
namespace {

void Launch(void* context, const Add::Args& args) {
  ForEachRow(*static_cast<const CpuContext*>(context), args.y.n_rows, args.y.n_cols, [&](int64_t row) {
    const float* a = static_cast<const float*>(args.a.data) + row * args.a.row_stride;
    const float* b = static_cast<const float*>(args.b.data) + row * args.b.row_stride;
    float* y = static_cast<float*>(args.y.data) + row * args.y.row_stride;
    ForEachVec(args.y.n_cols,
               [&](int64_t i, int64_t n) { StoreUpTo(y + i, LoadUpTo(a + i, n) + LoadUpTo(b + i, n), n); });
  });
}

}  // namespace

void RF_ISA::RegisterAdd(KernelTable& table) {
  table.add.Set(Format::kF32, {Launch, nullptr, RF_KERNEL_NAME("add")});
}

}  // namespace rf::cpu
