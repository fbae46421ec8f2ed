#include "hip/kernels/register.h"
#include "hip/kernels/views.h"

namespace rf::hip {
namespace {

RF_DEVICE float Activate(Activation activation, float x) {
  if (activation == Activation::kSilu) return x / (1.0f + expf(-x));
  // 0.5 x (1 + tanh(u)) = x / (1 + exp(-2u))
  constexpr float kTwiceSqrtTwoOverPi = 1.5957691216057308f;
  const float twice_u = kTwiceSqrtTwoOverPi * (x + 0.044715f * x * x * x);
  return x / (1.0f + expf(-twice_u));
}

RF_KERNEL GluRows(Glu::Args args) {
  const Stretch stretch = StretchOfBlock(args.y.n_cols);
  const float* gate = RowOf(args.gate, stretch.row);
  const float* up = RowOf(args.up, stretch.row);
  float* y = RowOf(args.y, stretch.row);
  for (int i = stretch.begin + static_cast<int>(threadIdx.x); i < stretch.end; i += kStretchThreads) {
    y[i] = Activate(args.attrs.activation, gate[i]) * up[i];
  }
}

void LaunchGlu(void* native, const Glu::Args& args) {
  Launch(native, GluRows, StretchesOf(args.y.n_rows, args.y.n_cols), kStretchThreads, 0, args);
}

}  // namespace

void RegisterGlu(const GpuTraits& /*traits*/, KernelTable& table) {
  table.glu.Set(Format::kF32, {LaunchGlu, nullptr, "hip/glu"});
}

}  // namespace rf::hip
