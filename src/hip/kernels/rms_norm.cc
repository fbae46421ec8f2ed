// Groups of up to kWaveGroup elements (the heads of QK-norm) are a wave's work, larger ones a block's.
#include "hip/kernels/register.h"
#include "hip/kernels/views.h"

namespace rf::hip {
namespace {

constexpr int kThreads = 256;
constexpr int kWaveGroup = 512;

// A group of a row, and the threads that norm it.
struct Group {
  const float* x;
  const float* w;
  float* y;
  int size;
  int first;  // the calling thread's first element
  int step;
};

RF_DEVICE Group GroupAt(const RmsNorm::Args& args, int64_t index) {
  const auto size = static_cast<int>(args.x.n_cols / args.attrs.n_groups);
  const int64_t row = index / args.attrs.n_groups;
  const int64_t begin = index % args.attrs.n_groups * size;
  return {
      RowOf(args.x, row) + begin, static_cast<const float*>(args.weight.data), RowOf(args.y, row) + begin, size, 0, 1};
}

// The calling thread's share of the sum of squares.
template <typename T>
RF_DEVICE T SquaresOf(const Group& group) {
  T sum = 0;
  for (int i = group.first; i < group.size; i += group.step) {
    const T x = group.x[i];
    sum = fma(x, x, sum);
  }
  return sum;
}

template <typename T>
RF_DEVICE void Scale(const Group& group, T sum, float eps) {
  const T scale = T(1) / sqrt(sum / static_cast<T>(group.size) + static_cast<T>(eps));
  for (int i = group.first; i < group.size; i += group.step) {
    group.y[i] = static_cast<float>(static_cast<T>(group.x[i]) * scale * static_cast<T>(group.w[i]));
  }
}

// Squares of finite numbers above 1.8e19 are infinite in F32; such a group, or one with NaN or infinity, is summed in
// double.
RF_DEVICE bool IsHuge(float sum) {
  return !(sum <= 3.4028235e38f);
}

struct NormShared {
  BlockSumScratch<float> sum;
  BlockSumScratch<double> huge_sum;
};

RF_KERNEL NormByBlocks(RmsNorm::Args args) {
  auto& shared = Shared<NormShared>();
  Group group = GroupAt(args, blockIdx.x);
  group.first = static_cast<int>(threadIdx.x);
  group.step = kThreads;
  const float sum = BlockSum(SquaresOf<float>(group), shared.sum);
  if (IsHuge(sum)) {
    Scale(group, BlockSum(SquaresOf<double>(group), shared.huge_sum), args.attrs.eps);
  } else {
    Scale(group, sum, args.attrs.eps);
  }
}

RF_KERNEL NormByWaves(RmsNorm::Args args) {
  const int64_t index = static_cast<int64_t>(blockIdx.x) * WavesInBlock() + WaveIndex();
  if (index >= args.x.n_rows * args.attrs.n_groups) return;
  Group group = GroupAt(args, index);
  group.first = Lane();
  group.step = WaveSize();
  const float sum = WaveSum(SquaresOf<float>(group));
  if (IsHuge(sum)) {
    Scale(group, WaveSum(SquaresOf<double>(group)), args.attrs.eps);
  } else {
    Scale(group, sum, args.attrs.eps);
  }
}

void LaunchRmsNorm(void* native, const RmsNorm::Args& args) {
  const int64_t n_groups = args.x.n_rows * args.attrs.n_groups;
  if (args.x.n_cols / args.attrs.n_groups > kWaveGroup) {
    Launch(native, NormByBlocks, dim3(static_cast<uint32_t>(n_groups)), kThreads, sizeof(NormShared), args);
    return;
  }
  const int n_waves = kThreads / static_cast<GpuContext*>(native)->traits->wave_size;
  Launch(native, NormByWaves, dim3(static_cast<uint32_t>(CeilDivide(n_groups, n_waves))), kThreads, 0, args);
}

}  // namespace

void RegisterRmsNorm(const GpuTraits& /*traits*/, KernelTable& table) {
  table.rms_norm.Set(Format::kF32, {LaunchRmsNorm, nullptr, "hip/rms_norm"});
}

}  // namespace rf::hip
