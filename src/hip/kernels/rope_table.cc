#include "hip/kernels/register.h"
#include "hip/kernels/views.h"

namespace rf::hip {
namespace {

struct SineCosine {
  float sine;
  float cosine;
};

// The angle is reduced to an eighth of a turn around 0 in double, with pi / 2 in two parts and fused steps (Cody &
// Waite 1980): what is left is right to 1e-15 for every angle that a position can make. There F32 is enough, and fast
// where double is not: the polynomials are those of Cephes' sinf and cosf, right to 1e-7.
RF_DEVICE SineCosine SineAndCosine(double angle) {
  constexpr double kTwoOverPi = 0.6366197723675814;
  constexpr double kHalfPi = 1.5707963267948966;
  constexpr double kHalfPiRest = 6.123233995736766e-17;
  const double n = rint(angle * kTwoOverPi);
  const double rest = fma(-n, kHalfPiRest, fma(-n, kHalfPi, angle));
  const auto r = static_cast<float>(rest);
  const float z = r * r;
  const float sine = fmaf(r * z, fmaf(z, fmaf(z, -1.9515295891e-4f, 8.3321608736e-3f), -1.6666654611e-1f), r);
  const float cosine = fmaf(
      z * z, fmaf(z, fmaf(z, 2.443315711809948e-5f, -1.388731625493765e-3f), 4.166664568298827e-2f), 1.0f - 0.5f * z);
  switch (static_cast<int64_t>(n) & 3) {
    case 0: return {sine, cosine};
    case 1: return {cosine, -sine};
    case 2: return {-sine, -cosine};
    default: return {-cosine, sine};
  }
}

RF_KERNEL MakeRotations(RopeTable::Args args, BatchView batch) {
  AdmitNext();
  AwaitPrevious();
  const Stretch stretch = StretchOfBlock(args.table.n_cols / 2);
  const auto* frequencies = static_cast<const float*>(args.frequencies.data);
  const double position = batch.positions[stretch.row];
  float* table = RowOf(args.table, stretch.row);
  for (int j = stretch.begin + static_cast<int>(threadIdx.x); j < stretch.end; j += kStretchThreads) {
    const SineCosine rotation = SineAndCosine(position * static_cast<double>(frequencies[j]));
    table[2 * j] = args.attrs.magnitude * rotation.cosine;
    table[2 * j + 1] = args.attrs.magnitude * rotation.sine;
  }
}

void LaunchRopeTable(void* native, const RopeTable::Args& args) {
  LaunchEarly(native, MakeRotations, StretchesOf(args.table.n_rows, args.table.n_cols / 2), kStretchThreads, 0, args,
              *args.batch);
}

}  // namespace

void RegisterRopeTable(const GpuTraits& /*traits*/, KernelTable& table) {
  table.rope_table.Set(Format::kF32, {LaunchRopeTable, nullptr, "hip/rope_table"});
}

}  // namespace rf::hip
