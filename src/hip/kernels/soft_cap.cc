#include "hip/kernels/register.h"
#include "hip/kernels/views.h"

namespace rf::hip {
namespace {

RF_KERNEL SoftCapRows(SoftCap::Args args) {
  AdmitNext();
  AwaitPrevious();
  const Stretch stretch = StretchOfBlock(args.y.n_cols);
  const float* x = RowOf(args.x, stretch.row);
  float* y = RowOf(args.y, stretch.row);
  const float cap = args.attrs.cap;
  const float scale = cap == 0.0f ? args.attrs.scale : args.attrs.scale / cap;
  for (int i = stretch.begin + static_cast<int>(threadIdx.x); i < stretch.end; i += kStretchThreads) {
    y[i] = cap == 0.0f ? x[i] * scale : cap * tanhf(x[i] * scale);
  }
}

void LaunchSoftCap(void* native, const SoftCap::Args& args) {
  LaunchEarly(native, SoftCapRows, StretchesOf(args.y.n_rows, args.y.n_cols), kStretchThreads, 0, args);
}

}  // namespace

void RegisterSoftCap(const GpuTraits& /*traits*/, KernelTable& table) {
  table.soft_cap.Set(Format::kF32, {LaunchSoftCap, nullptr, "hip/soft_cap"});
}

}  // namespace rf::hip
