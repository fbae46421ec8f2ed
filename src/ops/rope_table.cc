#include "ops/rope_table.h"

#include <cmath>

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {

Status RopeTable::Check(const Args& args) {
  RF_RETURN_IF_ERROR(CheckThat(args.table.n_cols % 2 == 0, "rope_table", "rope_dim must be even"));
  RF_RETURN_IF_ERROR(CheckVector("rope_table", "frequencies", args.frequencies, args.table.n_cols / 2));
  return CheckTensor("rope_table", "table", args.table, {args.batch->n_tokens, -1});
}

void RopeTable::Reference(const Args& args) {
  const float* f = Vector(args.frequencies);
  for (int64_t t = 0; t < args.table.n_rows; ++t) {
    float* row = Row(args.table, t);
    for (int64_t j = 0; j < args.table.n_cols / 2; ++j) {
      const double angle = static_cast<double>(args.batch->positions[t]) * f[j];
      row[2 * j] = static_cast<float>(args.attrs.magnitude * std::cos(angle));
      row[2 * j + 1] = static_cast<float>(args.attrs.magnitude * std::sin(angle));
    }
  }
}

}  // namespace rf
