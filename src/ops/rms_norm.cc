#include "ops/rms_norm.h"

#include <cmath>

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {

Status RmsNorm::Check(const Args& args) {
  const int64_t n_groups = args.attrs.n_groups;
  RF_RETURN_IF_ERROR(
      CheckThat(n_groups > 0 && args.x.n_cols % n_groups == 0, "rms_norm", "n_groups must divide the columns"));
  RF_RETURN_IF_ERROR(CheckTensor("rms_norm", "x", args.x, {args.y.n_rows, args.y.n_cols}));
  RF_RETURN_IF_ERROR(CheckVector("rms_norm", "weight", args.weight, args.x.n_cols / n_groups));
  return CheckTensor("rms_norm", "y", args.y, {});
}

void RmsNorm::Reference(const Args& args) {
  const int64_t size = args.x.n_cols / args.attrs.n_groups;
  const float* w = Vector(args.weight);
  for (int64_t t = 0; t < args.x.n_rows; ++t) {
    for (int64_t begin = 0; begin < args.x.n_cols; begin += size) {
      const float* x = Row(args.x, t) + begin;
      float* y = Row(args.y, t) + begin;
      double sum = 0.0;
      for (int64_t i = 0; i < size; ++i) sum += static_cast<double>(x[i]) * x[i];
      const double scale = 1.0 / std::sqrt(sum / static_cast<double>(size) + args.attrs.eps);
      for (int64_t i = 0; i < size; ++i) y[i] = static_cast<float>(x[i] * scale * w[i]);
    }
  }
}

}  // namespace rf
