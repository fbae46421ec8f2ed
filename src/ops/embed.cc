#include "ops/embed.h"

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {

Status Embed::Check(const Args& args) {
  RF_RETURN_IF_ERROR(CheckWeight("embed", "weight", args.weight, {-1, args.y.n_cols}));
  return CheckTensor("embed", "y", args.y, {args.batch->n_tokens, -1});
}

void Embed::Reference(const Args& args) {
  for (int64_t t = 0; t < args.y.n_rows; ++t) {
    float* y = Row(args.y, t);
    UnpackWeightRow(args.weight, 0, args.batch->token_ids[t], y);
    for (int64_t i = 0; i < args.y.n_cols; ++i) y[i] = static_cast<float>(static_cast<double>(y[i]) * args.attrs.scale);
  }
}

}  // namespace rf
