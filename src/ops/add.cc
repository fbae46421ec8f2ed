#include "ops/add.h"

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {

Status Add::Check(const Args& args) {
  const WantedShape shape{args.y.n_rows, args.y.n_cols};
  RF_RETURN_IF_ERROR(CheckTensor("add", "a", args.a, shape));
  RF_RETURN_IF_ERROR(CheckTensor("add", "b", args.b, shape));
  return CheckTensor("add", "y", args.y, {});
}

void Add::Reference(const Args& args) {
  for (int64_t t = 0; t < args.y.n_rows; ++t) {
    for (int64_t i = 0; i < args.y.n_cols; ++i) {
      Row(args.y, t)[i] = static_cast<float>(static_cast<double>(Row(args.a, t)[i]) + Row(args.b, t)[i]);
    }
  }
}

}  // namespace rf
