#include "ops/matmul.h"

#include <vector>

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {

Status MatMul::Check(const Args& args) {
  RF_RETURN_IF_ERROR(CheckThat(args.n_parts >= 1 && args.n_parts <= kMaxParts, "matmul", "must have 1 to 3 parts"));
  RF_RETURN_IF_ERROR(CheckTensor("matmul", "x", args.x, {}));
  for (int p = 0; p < args.n_parts; ++p) {
    const Part& part = args.parts[p];
    RF_RETURN_IF_ERROR(CheckWeight("matmul", "weight", part.weight, {part.y.n_cols, args.x.n_cols}));
    RF_RETURN_IF_ERROR(CheckTensor("matmul", "y", part.y, {args.x.n_rows, -1}));
    if (part.bias.data != nullptr) RF_RETURN_IF_ERROR(CheckVector("matmul", "bias", part.bias, part.y.n_cols));
  }
  if (args.residual.data == nullptr) return {};
  RF_RETURN_IF_ERROR(CheckThat(args.n_parts == 1, "matmul", "a residual goes with one part only"));
  return CheckTensor("matmul", "residual", args.residual, {args.x.n_rows, args.parts[0].y.n_cols});
}

void MatMul::Reference(const Args& args) {
  for (int p = 0; p < args.n_parts; ++p) {
    const Part& part = args.parts[p];
    std::vector<float> w(static_cast<size_t>(part.weight.n_cols));
    for (int64_t o = 0; o < part.weight.n_rows; ++o) {
      UnpackWeightRow(part.weight, 0, o, w.data());
      const double bias = part.bias.data == nullptr ? 0.0 : Vector(part.bias)[o];
      for (int64_t t = 0; t < args.x.n_rows; ++t) {
        const float* x = Row(args.x, t);
        double sum = bias;
        for (int64_t i = 0; i < part.weight.n_cols; ++i) sum += static_cast<double>(w[static_cast<size_t>(i)]) * x[i];
        if (args.residual.data != nullptr) sum += Row(args.residual, t)[o];
        Row(part.y, t)[o] = static_cast<float>(sum);
      }
    }
  }
}

}  // namespace rf
