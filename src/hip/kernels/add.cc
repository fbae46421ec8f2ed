#include "hip/kernels/register.h"
#include "hip/kernels/views.h"

namespace rf::hip {
namespace {

RF_KERNEL AddRows(Add::Args args) {
  AdmitNext();
  AwaitPrevious();
  const Stretch stretch = StretchOfBlock(args.y.n_cols);
  const float* a = RowOf(args.a, stretch.row);
  const float* b = RowOf(args.b, stretch.row);
  float* y = RowOf(args.y, stretch.row);
  for (int i = stretch.begin + static_cast<int>(threadIdx.x); i < stretch.end; i += kStretchThreads) y[i] = a[i] + b[i];
}

void LaunchAdd(void* native, const Add::Args& args) {
  LaunchEarly(native, AddRows, StretchesOf(args.y.n_rows, args.y.n_cols), kStretchThreads, 0, args);
}

}  // namespace

void RegisterAdd(const GpuTraits& /*traits*/, KernelTable& table) {
  table.add.Set(Format::kF32, {LaunchAdd, nullptr, "hip/add"});
}

}  // namespace rf::hip
