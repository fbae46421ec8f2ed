#include "cpu/kernels/register.h"
#include "cpu/simd/maths.h"

namespace rf::cpu {
namespace {

template <Vec (*kActivate)(Vec)>
void Run(const CpuContext& context, const Glu::Args& args) {
  ForEachRow(context, args.y.n_rows, args.y.n_cols, [&](int64_t row) {
    const float* gate = static_cast<const float*>(args.gate.data) + row * args.gate.row_stride;
    const float* up = static_cast<const float*>(args.up.data) + row * args.up.row_stride;
    float* y = static_cast<float*>(args.y.data) + row * args.y.row_stride;
    ForEachVec(args.y.n_cols, [&](int64_t i, int64_t n) {
      StoreUpTo(y + i, kActivate(LoadUpTo(gate + i, n)) * LoadUpTo(up + i, n), n);
    });
  });
}

void Launch(void* context, const Glu::Args& args) {
  const CpuContext& cpu = *static_cast<const CpuContext*>(context);
  if (args.attrs.activation == Activation::kSilu) {
    Run<Silu>(cpu, args);
  } else {
    Run<GeluTanh>(cpu, args);
  }
}

}  // namespace

void RF_ISA::RegisterGlu(KernelTable& table) {
  table.glu.Set(Format::kF32, {Launch, nullptr, RF_KERNEL_NAME("glu")});
}

}  // namespace rf::cpu
