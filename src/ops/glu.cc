#include "ops/glu.h"

#include <cmath>
#include <numbers>

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {
namespace {

double Activate(Activation activation, double x) {
  if (activation == Activation::kSilu) return x / (1.0 + std::exp(-x));
  const double inner = std::sqrt(2.0 * std::numbers::inv_pi) * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1.0 + std::tanh(inner));
}

}  // namespace

Status Glu::Check(const Args& args) {
  const WantedShape shape{args.y.n_rows, args.y.n_cols};
  RF_RETURN_IF_ERROR(CheckTensor("glu", "gate", args.gate, shape));
  RF_RETURN_IF_ERROR(CheckTensor("glu", "up", args.up, shape));
  return CheckTensor("glu", "y", args.y, {});
}

void Glu::Reference(const Args& args) {
  for (int64_t t = 0; t < args.y.n_rows; ++t) {
    for (int64_t i = 0; i < args.y.n_cols; ++i) {
      Row(args.y, t)[i] =
          static_cast<float>(Activate(args.attrs.activation, Row(args.gate, t)[i]) * Row(args.up, t)[i]);
    }
  }
}

}  // namespace rf
