#include <cmath>

#include "cpu/kernels/register.h"
#include "cpu/simd/vec.h"

namespace rf::cpu {
namespace {

// The mean of squares is summed in four vectors of F32: rows are short enough for 1e-9 NMSE, which the conformance
// suite checks.
float SumOfSquares(const float* x, int64_t n) {
  Vec sums[4] = {};
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    for (int j = 0; j < 4; ++j) {
      const Vec v = Load(x + i + j * kLanes);
      sums[j] = FusedMultiplyAdd(v, v, sums[j]);
    }
  }
  ForEachVec(n - i, [&](int64_t at, int64_t count) {
    const Vec v = LoadUpTo(x + i + at, count);
    sums[0] = FusedMultiplyAdd(v, v, sums[0]);
  });
  return ReduceAdd((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

// Squares of finite numbers above 1.8e19 are infinite in F32. A group that has them, or NaN or infinity, is computed as
// the reference does: it is too rare to be fast.
void NormHugeGroup(const float* x, const float* w, float* y, int64_t n, float eps) {
  double sum = 0.0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * x[i];
  const double scale = 1.0 / sqrt(sum / static_cast<double>(n) + eps);
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(x[i] * scale * w[i]);
}

void NormGroup(const float* x, const float* w, float* y, int64_t n, float eps) {
  const float sum = SumOfSquares(x, n);
  if (!(sum <= 3.4028235e38f)) return NormHugeGroup(x, w, y, n, eps);
  const float scale = 1.0f / sqrtf(sum / static_cast<float>(n) + eps);
  ForEachVec(n, [&](int64_t i, int64_t count) {
    StoreUpTo(y + i, LoadUpTo(x + i, count) * scale * LoadUpTo(w + i, count), count);
  });
}

void Launch(void* context, const RmsNorm::Args& args) {
  const int64_t size = args.x.n_cols / args.attrs.n_groups;
  const auto* w = static_cast<const float*>(args.weight.data);
  ForEachRow(*static_cast<const CpuContext*>(context), args.x.n_rows, args.x.n_cols, [&](int64_t row) {
    const float* x = static_cast<const float*>(args.x.data) + row * args.x.row_stride;
    float* y = static_cast<float*>(args.y.data) + row * args.y.row_stride;
    for (int64_t begin = 0; begin < args.x.n_cols; begin += size)
      NormGroup(x + begin, w, y + begin, size, args.attrs.eps);
  });
}

}  // namespace

void RF_ISA::RegisterRmsNorm(KernelTable& table) {
  table.rms_norm.Set(Format::kF32, {Launch, nullptr, RF_KERNEL_NAME("rms_norm")});
}

}  // namespace rf::cpu
