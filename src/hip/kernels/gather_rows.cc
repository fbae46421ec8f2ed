#include "hip/kernels/register.h"
#include "hip/kernels/views.h"

namespace rf::hip {
namespace {

RF_KERNEL CopyRows(GatherRows::Args args, BatchView batch) {
  AdmitNext();
  AwaitPrevious();
  const Stretch stretch = StretchOfBlock(args.y.n_cols);
  const float* x = RowOf(args.x, batch.output_rows[stretch.row]);
  float* y = RowOf(args.y, stretch.row);
  for (int i = stretch.begin + static_cast<int>(threadIdx.x); i < stretch.end; i += kStretchThreads) y[i] = x[i];
}

void LaunchGatherRows(void* native, const GatherRows::Args& args) {
  LaunchEarly(native, CopyRows, StretchesOf(args.y.n_rows, args.y.n_cols), kStretchThreads, 0, args, *args.batch);
}

}  // namespace

void RegisterGatherRows(const GpuTraits& /*traits*/, KernelTable& table) {
  table.gather_rows.Set(Format::kF32, {LaunchGatherRows, nullptr, "hip/gather_rows"});
}

}  // namespace rf::hip
