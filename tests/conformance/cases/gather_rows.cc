#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/random.h"

namespace rf::conformance {
namespace {

Case<GatherRows> MakeCase(int32_t n_tokens, int64_t n_cols, std::vector<int32_t> rows, int64_t gap) {
  Case<GatherRows> c{fmt::format("gather_rows {} of {}, {} columns", rows.size(), n_tokens, n_cols), {}, {}};
  Random random(c.name);
  c.operands.in[0] = random.Tensor(n_tokens, n_cols, 1.0f, gap);
  c.operands.out[0] = Output(static_cast<int64_t>(rows.size()), n_cols, 2 * gap);
  c.operands.out[0]->rows_of = RowsOf::kOutputs;
  c.operands.batch = MakeBatch(n_tokens);
  c.operands.batch.output_rows = std::move(rows);
  c.bounds.fill(kSameBits);
  return c;
}

}  // namespace

template <>
std::vector<Case<GatherRows>> CasesOf<GatherRows>::Make(Format) {
  std::vector<Case<GatherRows>> cases;
  for (int64_t n_cols : {1, 17, 576}) {
    cases.push_back(MakeCase(1, n_cols, {0}, 0));
    cases.push_back(MakeCase(5, n_cols, {4}, 3));
    cases.push_back(MakeCase(7, n_cols, {0, 2, 3, 6}, 0));
    cases.push_back(MakeCase(3, n_cols, {}, 0));  // a step in which nobody samples
  }
  return cases;
}

}  // namespace rf::conformance
