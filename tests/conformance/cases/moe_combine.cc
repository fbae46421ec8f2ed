#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/random.h"

namespace rf::conformance {
namespace {

Case<MoeCombine> MakeCase(int32_t n_tokens, int32_t n_used, int64_t n_cols, int64_t gap) {
  Case<MoeCombine> c{fmt::format("moe_combine {} tokens, {} experts, {} columns", n_tokens, n_used, n_cols), {}, {}};
  Random random(c.name);
  c.operands.in[0] = random.Tensor(n_tokens * n_used, n_cols, 1.0f, gap);
  c.operands.in[0]->rows_per_token = n_used;
  c.operands.in[1] = random.Tensor(n_tokens, n_used, 1.0f, gap);
  c.operands.out[0] = Output(n_tokens, n_cols, gap);
  c.operands.batch = MakeBatch(n_tokens);
  return c;
}

}  // namespace

template <>
std::vector<Case<MoeCombine>> CasesOf<MoeCombine>::Make(Format) {
  std::vector<Case<MoeCombine>> cases;
  for (int32_t n_tokens : {1, 3, 40}) {
    for (int64_t n_cols : {1, 17, 64, 577}) {
      for (int32_t n_used : {1, 2, 8}) cases.push_back(MakeCase(n_tokens, n_used, n_cols, n_cols % 3));
    }
  }
  return cases;
}

}  // namespace rf::conformance
