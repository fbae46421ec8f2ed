#include "cpu/kernels/register.h"
#include "cpu/simd/maths.h"

namespace rf::cpu {
namespace {

void Launch(void* context, const SoftCap::Args& args) {
  const float cap = args.attrs.cap;
  const float scale = cap == 0.0f ? args.attrs.scale : args.attrs.scale / cap;
  ForEachRow(*static_cast<const CpuContext*>(context), args.y.n_rows, args.y.n_cols, [&](int64_t row) {
    const float* x = static_cast<const float*>(args.x.data) + row * args.x.row_stride;
    float* y = static_cast<float*>(args.y.data) + row * args.y.row_stride;
    ForEachVec(args.y.n_cols, [&](int64_t i, int64_t n) {
      const Vec scaled = LoadUpTo(x + i, n) * scale;
      StoreUpTo(y + i, cap == 0.0f ? scaled : Tanh(scaled) * cap, n);
    });
  });
}

}  // namespace

void RF_ISA::RegisterSoftCap(KernelTable& table) {
  table.soft_cap.Set(Format::kF32, {Launch, nullptr, RF_KERNEL_NAME("soft_cap")});
}

}  // namespace rf::cpu
