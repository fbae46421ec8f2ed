#include "ops/soft_cap.h"

#include <cmath>

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {

Status SoftCap::Check(const Args& args) {
  RF_RETURN_IF_ERROR(CheckThat(args.attrs.cap >= 0.0f, "soft_cap", "cap must not be negative"));
  RF_RETURN_IF_ERROR(CheckTensor("soft_cap", "x", args.x, {args.y.n_rows, args.y.n_cols}));
  return CheckTensor("soft_cap", "y", args.y, {});
}

void SoftCap::Reference(const Args& args) {
  const double cap = args.attrs.cap;
  for (int64_t t = 0; t < args.y.n_rows; ++t) {
    for (int64_t i = 0; i < args.y.n_cols; ++i) {
      const double x = static_cast<double>(Row(args.x, t)[i]) * args.attrs.scale;
      Row(args.y, t)[i] = static_cast<float>(cap == 0.0 ? x : cap * std::tanh(x / cap));
    }
  }
}

}  // namespace rf
