#include "hip/kernels/register.h"
#include "hip/kernels/rotation.h"
#include "hip/kernels/views.h"

namespace rf::hip {
namespace {

// A thread rotates a pair; a row has n_heads * rope_dim / 2 of them, those of `second` after those of x.
RF_KERNEL RotatePairs(Rope::Args args, int n_heads) {
  AdmitNext();
  AwaitPrevious();
  const int half = args.attrs.rope_dim / 2;
  const Stretch stretch = StretchOfBlock(static_cast<int64_t>(n_heads) * half);
  const float* table = RowOf(args.table, stretch.row);
  for (int i = stretch.begin + static_cast<int>(threadIdx.x); i < stretch.end; i += kStretchThreads) {
    const int j = i % half;
    const int index = i / half;
    const bool is_second = index >= args.attrs.n_heads;
    float* head = RowOf(is_second ? args.second : args.x, stretch.row) +
                  static_cast<int64_t>(is_second ? index - args.attrs.n_heads : index) * args.attrs.head_dim;
    RotatePair(args.attrs, table, head, j);
  }
}

void LaunchRope(void* native, const Rope::Args& args) {
  const int64_t n_second = args.second.data == nullptr ? 0 : args.second.n_cols / args.attrs.head_dim;
  const int64_t n_heads = args.attrs.n_heads + n_second;
  LaunchEarly(native, RotatePairs, StretchesOf(args.x.n_rows, n_heads * (args.attrs.rope_dim / 2)), kStretchThreads, 0,
              args, static_cast<int>(n_heads));
}

}  // namespace

void RegisterRope(const GpuTraits& /*traits*/, KernelTable& table) {
  table.rope.Set(Format::kF32, {LaunchRope, nullptr, "hip/rope"});
}

}  // namespace rf::hip
