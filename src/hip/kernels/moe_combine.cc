#include "hip/kernels/register.h"
#include "hip/kernels/views.h"

namespace rf::hip {
namespace {

RF_KERNEL CombineExperts(MoeCombine::Args args) {
  AdmitNext();
  AwaitPrevious();
  const Stretch stretch = StretchOfBlock(args.y.n_cols);
  const auto n_used = static_cast<int>(args.weights.n_cols);
  const float* weights = RowOf(args.weights, stretch.row);
  float* y = RowOf(args.y, stretch.row);
  for (int i = stretch.begin + static_cast<int>(threadIdx.x); i < stretch.end; i += kStretchThreads) {
    float sum = 0.0f;
    for (int j = 0; j < n_used; ++j) sum = fmaf(weights[j], RowOf(args.x, stretch.row * n_used + j)[i], sum);
    y[i] = sum;
  }
}

void LaunchMoeCombine(void* native, const MoeCombine::Args& args) {
  LaunchEarly(native, CombineExperts, StretchesOf(args.y.n_rows, args.y.n_cols), kStretchThreads, 0, args);
}

}  // namespace

void RegisterMoeCombine(const GpuTraits& /*traits*/, KernelTable& table) {
  table.moe_combine.Set(Format::kF32, {LaunchMoeCombine, nullptr, "hip/moe_combine"});
}

}  // namespace rf::hip
