#include "ops/moe_matmul.h"

#include <vector>

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {

Status MoeMatMul::Check(const Args& args) {
  const int64_t n_products = args.ids.n_rows * args.ids.n_cols;
  RF_RETURN_IF_ERROR(CheckTensor("moe_matmul", "ids", args.ids, {}, Format::kI32));
  RF_RETURN_IF_ERROR(CheckThat(args.x.n_rows == args.ids.n_rows || args.x.n_rows == n_products, "moe_matmul",
                               "x must have a row for each token or for each of a token's experts"));
  RF_RETURN_IF_ERROR(CheckTensor("moe_matmul", "x", args.x, {}));
  RF_RETURN_IF_ERROR(CheckWeight("moe_matmul", "weight", args.weight, {args.y.n_cols, args.x.n_cols}));
  return CheckTensor("moe_matmul", "y", args.y, {n_products, -1});
}

void MoeMatMul::Reference(const Args& args) {
  const int64_t n_used = args.ids.n_cols;
  std::vector<float> w(static_cast<size_t>(args.weight.n_cols));
  for (int64_t row = 0; row < args.y.n_rows; ++row) {
    const int64_t t = row / n_used;
    const int32_t expert = (static_cast<const int32_t*>(args.ids.data) + t * args.ids.row_stride)[row % n_used];
    const float* x = Row(args.x, args.x.n_rows == args.ids.n_rows ? t : row);
    for (int64_t o = 0; o < args.weight.n_rows; ++o) {
      UnpackWeightRow(args.weight, expert, o, w.data());
      double sum = 0.0;
      for (size_t i = 0; i < w.size(); ++i) sum += static_cast<double>(w[i]) * x[i];
      Row(args.y, row)[o] = static_cast<float>(sum);
    }
  }
}

}  // namespace rf
