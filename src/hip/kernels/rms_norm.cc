// Groups of up to kWaveGroup elements (the heads of QK-norm) are a wave's work, larger ones and whole rows a block's,
// which reads them once and holds them in registers as far as they fit. A block that has a whole row makes its units
// too.
#include "hip/kernels/fours.h"
#include "hip/kernels/register.h"
#include "hip/kernels/units.h"

namespace rf::hip {
namespace {

constexpr int kThreads = 256;
constexpr int kWaveGroup = 512;
constexpr int kMostHeld = 2;  // fours that a thread holds

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
  AdmitNext();
  AwaitPrevious();
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

template <typename T, int kFours>
RF_DEVICE T SquaresOf(const Float4 (&x)[kFours]) {
  T sum = 0;
  RF_UNROLL
  for (int i = 0; i < kFours; ++i) {
    const T a = x[i].x;
    const T b = x[i].y;
    const T c = x[i].z;
    const T d = x[i].w;
    sum = fma(d, d, fma(c, c, fma(b, b, fma(a, a, sum))));
  }
  return sum;
}

// A thread's share of a group: fours that lie kBlockThreads fours apart.
template <bool kIsAligned, int kBlockThreads, int kFours>
struct HeldFours {
  Float4 x[kFours];
  Float4 w[kFours];

  RF_DEVICE_MEMBER static int At(int i) { return (i * kBlockThreads + static_cast<int>(threadIdx.x)) * 4; }
  RF_DEVICE_MEMBER void Load(const Group& group) {
    RF_UNROLL
    for (int i = 0; i < kFours; ++i) w[i] = LoadFour<kIsAligned>(group.w, At(i), group.size);
    AwaitPrevious();
    RF_UNROLL
    for (int i = 0; i < kFours; ++i) x[i] = LoadFour<kIsAligned>(group.x, At(i), group.size);
  }

  // Writes y, and its units where there is a place for them.
  template <typename T>
  RF_DEVICE_MEMBER void Scale(const Group& group, T sum, float eps, const UnitsPlace& units) const {
    const T scale = T(1) / sqrt(sum / static_cast<T>(group.size) + static_cast<T>(eps));
    const auto scaled = [&](float x_of, float w_of) {
      return static_cast<float>(static_cast<T>(x_of) * scale * static_cast<T>(w_of));
    };
    RF_UNROLL
    for (int i = 0; i < kFours; ++i) {
      if (i * kBlockThreads * 4 >= group.size) break;
      const Float4 y{scaled(x[i].x, w[i].x), scaled(x[i].y, w[i].y), scaled(x[i].z, w[i].z), scaled(x[i].w, w[i].w)};
      StoreFour<kIsAligned>(y, group.y, At(i), group.size);
      if (units.at != nullptr) MakeUnit(y, units, blockIdx.x, At(i), At(i) < group.size);
    }
  }
};

// Groups of up to 4 * kBlockThreads * kFours elements.
template <bool kIsAligned, int kBlockThreads, int kFours>
RF_KERNEL RF_LAUNCH_BOUNDS(kBlockThreads) NormHeld(RmsNorm::Args args, UnitsPlace units) {
  AdmitNext();
  auto& shared = Shared<NormShared>();
  const Group group = GroupAt(args, blockIdx.x);
  HeldFours<kIsAligned, kBlockThreads, kFours> held;
  held.Load(group);
  const float sum = BlockSum(SquaresOf<float>(held.x), shared.sum);
  if (IsHuge(sum)) {
    const double huge_sum = BlockSum(SquaresOf<double>(held.x), shared.huge_sum);
    held.Scale(group, huge_sum, args.attrs.eps, units);
  } else {
    held.Scale(group, sum, args.attrs.eps, units);
  }
}

RF_KERNEL NormByWaves(RmsNorm::Args args) {
  AdmitNext();
  AwaitPrevious();
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

template <int kBlockThreads, int kFours>
void LaunchHeld(void* native, const RmsNorm::Args& args) {
  const bool is_aligned = args.x.n_cols / args.attrs.n_groups % 4 == 0 && HoldsFours(args.x) && HoldsFours(args.y) &&
                          reinterpret_cast<uintptr_t>(args.weight.data) % sizeof(Float4) == 0;
  const UnitsPlace units = args.attrs.n_groups == 1 ? PlaceForUnits(native, args.y) : UnitsPlace{};
  const dim3 grid(static_cast<uint32_t>(args.x.n_rows * args.attrs.n_groups));
  LaunchEarly(native, is_aligned ? NormHeld<true, kBlockThreads, kFours> : NormHeld<false, kBlockThreads, kFours>, grid,
              kBlockThreads, sizeof(NormShared), args, units);
  NoteUnits(native, args.y, units);
}

void LaunchByWaves(void* native, const RmsNorm::Args& args) {
  const int n_waves = kThreads / static_cast<GpuContext*>(native)->traits->wave_size;
  const int64_t n_blocks = CeilDivide(args.x.n_rows * args.attrs.n_groups, n_waves);
  LaunchEarly(native, NormByWaves, dim3(static_cast<uint32_t>(n_blocks)), kThreads, 0, args);
}

void LaunchRmsNorm(void* native, const RmsNorm::Args& args) {
  const int64_t size = args.x.n_cols / args.attrs.n_groups;
  if (size <= kWaveGroup && args.attrs.n_groups > 1) return LaunchByWaves(native, args);
  // One row waits for its slowest thread: as many threads as the columns allow.
  if (size <= 4 * 256) return LaunchHeld<256, 1>(native, args);
  if (size <= 4 * 1024) return LaunchHeld<1024, 1>(native, args);
  if (size <= 4 * 1024 * kMostHeld) return LaunchHeld<1024, kMostHeld>(native, args);
  LaunchEarly(native, NormByBlocks, dim3(static_cast<uint32_t>(args.x.n_rows * args.attrs.n_groups)), kThreads,
              sizeof(NormShared), args);
}

size_t WorkspaceBytes(const RmsNorm::Args& args, int /*n_threads*/) {
  return args.attrs.n_groups == 1 ? UnitBytes(args.y) : 0;
}

}  // namespace

void RegisterRmsNorm(const GpuTraits& /*traits*/, KernelTable& table) {
  table.rms_norm.Set(Format::kF32, {LaunchRmsNorm, WorkspaceBytes, "hip/rms_norm"});
}

}  // namespace rf::hip
