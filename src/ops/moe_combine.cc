#include "ops/moe_combine.h"

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {

Status MoeCombine::Check(const Args& args) {
  RF_RETURN_IF_ERROR(CheckTensor("moe_combine", "weights", args.weights, {args.y.n_rows, -1}));
  RF_RETURN_IF_ERROR(CheckTensor("moe_combine", "x", args.x, {args.y.n_rows * args.weights.n_cols, args.y.n_cols}));
  return CheckTensor("moe_combine", "y", args.y, {});
}

void MoeCombine::Reference(const Args& args) {
  const int64_t n_used = args.weights.n_cols;
  for (int64_t t = 0; t < args.y.n_rows; ++t) {
    for (int64_t i = 0; i < args.y.n_cols; ++i) {
      double sum = 0.0;
      for (int64_t j = 0; j < n_used; ++j) {
        sum += static_cast<double>(Row(args.weights, t)[j]) * Row(args.x, t * n_used + j)[i];
      }
      Row(args.y, t)[i] = static_cast<float>(sum);
    }
  }
}

}  // namespace rf
