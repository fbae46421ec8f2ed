#include "cpu/kernels/register.h"
#include "cpu/simd/vec.h"

namespace rf::cpu {
namespace {

void Launch(void* context, const MoeCombine::Args& args) {
  const int64_t n_used = args.weights.n_cols;
  ForEachRow(*static_cast<const CpuContext*>(context), args.y.n_rows, args.y.n_cols * n_used, [&](int64_t row) {
    const float* x = static_cast<const float*>(args.x.data) + row * n_used * args.x.row_stride;
    const float* weights = static_cast<const float*>(args.weights.data) + row * args.weights.row_stride;
    float* y = static_cast<float*>(args.y.data) + row * args.y.row_stride;
    ForEachVec(args.y.n_cols, [&](int64_t i, int64_t n) {
      Vec sum{};
      for (int64_t j = 0; j < n_used; ++j) {
        sum = FusedMultiplyAdd(LoadUpTo(x + j * args.x.row_stride + i, n), Broadcast(weights[j]), sum);
      }
      StoreUpTo(y + i, sum, n);
    });
  });
}

}  // namespace

void RF_ISA::RegisterMoeCombine(KernelTable& table) {
  table.moe_combine.Set(Format::kF32, {Launch, nullptr, RF_KERNEL_NAME("moe_combine")});
}

}  // namespace rf::cpu
