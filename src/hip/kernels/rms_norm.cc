// Groups of up to kWaveGroup elements (the heads of QK-norm) are a wave's work, larger ones a block's, which reads them
// once and holds them in registers as far as they fit.
#include "hip/kernels/register.h"
#include "hip/kernels/views.h"

namespace rf::hip {
namespace {

constexpr int kThreads = 256;
constexpr int kWaveGroup = 512;
constexpr int kHeldFours = 4;  // that a thread holds
constexpr int kHeldElements = 4 * kHeldFours;

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

// Four elements, zeros beyond the group. Groups that lie anywhere are read one by one.
template <bool kIsAligned>
RF_DEVICE Float4 LoadFour(const float* from, int at, int size) {
  if constexpr (kIsAligned) {
    if (at < size) return *reinterpret_cast<const Float4*>(from + at);
    return {0.0f, 0.0f, 0.0f, 0.0f};
  } else {
    return {at < size ? from[at] : 0.0f, at + 1 < size ? from[at + 1] : 0.0f, at + 2 < size ? from[at + 2] : 0.0f,
            at + 3 < size ? from[at + 3] : 0.0f};
  }
}

template <bool kIsAligned>
RF_DEVICE void StoreFour(const Float4& four, float* to, int at, int size) {
  if constexpr (kIsAligned) {
    if (at < size) *reinterpret_cast<Float4*>(to + at) = four;
  } else {
    if (at < size) to[at] = four.x;
    if (at + 1 < size) to[at + 1] = four.y;
    if (at + 2 < size) to[at + 2] = four.z;
    if (at + 3 < size) to[at + 3] = four.w;
  }
}

template <typename T>
RF_DEVICE T SquaresOf(const Float4 (&x)[kHeldFours]) {
  T sum = 0;
  RF_UNROLL
  for (int i = 0; i < kHeldFours; ++i) {
    const T a = x[i].x;
    const T b = x[i].y;
    const T c = x[i].z;
    const T d = x[i].w;
    sum = fma(d, d, fma(c, c, fma(b, b, fma(a, a, sum))));
  }
  return sum;
}

template <bool kIsAligned, int kBlockThreads, typename T>
RF_DEVICE void ScaleHeld(const Group& group, const Float4 (&x)[kHeldFours], T sum, float eps) {
  const T scale = T(1) / sqrt(sum / static_cast<T>(group.size) + static_cast<T>(eps));
  const auto scaled = [&](float x_of, float w_of) {
    return static_cast<float>(static_cast<T>(x_of) * scale * static_cast<T>(w_of));
  };
  RF_UNROLL
  for (int i = 0; i < kHeldFours; ++i) {
    const int at = (i * kBlockThreads + static_cast<int>(threadIdx.x)) * 4;
    const Float4 w = LoadFour<kIsAligned>(group.w, at, group.size);
    const Float4 y{scaled(x[i].x, w.x), scaled(x[i].y, w.y), scaled(x[i].z, w.z), scaled(x[i].w, w.w)};
    StoreFour<kIsAligned>(y, group.y, at, group.size);
  }
}

// Groups of up to kBlockThreads * kHeldElements elements.
template <bool kIsAligned, int kBlockThreads>
RF_KERNEL RF_LAUNCH_BOUNDS(kBlockThreads) NormHeld(RmsNorm::Args args) {
  auto& shared = Shared<NormShared>();
  const Group group = GroupAt(args, blockIdx.x);
  Float4 x[kHeldFours];
  RF_UNROLL
  for (int i = 0; i < kHeldFours; ++i) {
    x[i] = LoadFour<kIsAligned>(group.x, (i * kBlockThreads + static_cast<int>(threadIdx.x)) * 4, group.size);
  }
  const float sum = BlockSum(SquaresOf<float>(x), shared.sum);
  if (IsHuge(sum)) {
    const double huge_sum = BlockSum(SquaresOf<double>(x), shared.huge_sum);
    ScaleHeld<kIsAligned, kBlockThreads>(group, x, huge_sum, args.attrs.eps);
  } else {
    ScaleHeld<kIsAligned, kBlockThreads>(group, x, sum, args.attrs.eps);
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

bool IsAligned(const TensorView& rows) {
  return reinterpret_cast<uintptr_t>(rows.data) % sizeof(Float4) == 0 && rows.row_stride % 4 == 0;
}

template <int kBlockThreads>
void LaunchHeld(void* native, const RmsNorm::Args& args) {
  const bool is_aligned = args.x.n_cols / args.attrs.n_groups % 4 == 0 && IsAligned(args.x) && IsAligned(args.y) &&
                          reinterpret_cast<uintptr_t>(args.weight.data) % sizeof(Float4) == 0;
  const dim3 grid(static_cast<uint32_t>(args.x.n_rows * args.attrs.n_groups));
  Launch(native, is_aligned ? NormHeld<true, kBlockThreads> : NormHeld<false, kBlockThreads>, grid, kBlockThreads,
         sizeof(NormShared), args);
}

void LaunchByWaves(void* native, const RmsNorm::Args& args) {
  const int n_waves = kThreads / static_cast<GpuContext*>(native)->traits->wave_size;
  const int64_t n_blocks = CeilDivide(args.x.n_rows * args.attrs.n_groups, n_waves);
  Launch(native, NormByWaves, dim3(static_cast<uint32_t>(n_blocks)), kThreads, 0, args);
}

void LaunchRmsNorm(void* native, const RmsNorm::Args& args) {
  const int64_t size = args.x.n_cols / args.attrs.n_groups;
  if (size <= kWaveGroup) return LaunchByWaves(native, args);
  if (size <= 256 * kHeldElements) return LaunchHeld<256>(native, args);
  if (size <= 512 * kHeldElements) return LaunchHeld<512>(native, args);
  Launch(native, NormByBlocks, dim3(static_cast<uint32_t>(args.x.n_rows * args.attrs.n_groups)), kThreads,
         sizeof(NormShared), args);
}

}  // namespace

void RegisterRmsNorm(const GpuTraits& /*traits*/, KernelTable& table) {
  table.rms_norm.Set(Format::kF32, {LaunchRmsNorm, nullptr, "hip/rms_norm"});
}

}  // namespace rf::hip
