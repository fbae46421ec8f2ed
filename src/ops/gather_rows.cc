#include "ops/gather_rows.h"

#include <cstring>

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {

Status GatherRows::Check(const Args& args) {
  RF_RETURN_IF_ERROR(CheckTensor("gather_rows", "x", args.x, {args.batch->n_tokens, args.y.n_cols}));
  return CheckTensor("gather_rows", "y", args.y, {args.batch->n_outputs, -1});
}

void GatherRows::Reference(const Args& args) {
  for (int64_t i = 0; i < args.y.n_rows; ++i) {
    std::memcpy(Row(args.y, i), Row(args.x, args.batch->output_rows[i]),
                sizeof(float) * static_cast<size_t>(args.y.n_cols));
  }
}

}  // namespace rf
