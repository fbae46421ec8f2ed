#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/cases/row_shapes.h"

namespace rf::conformance {
namespace {

Case<RmsNorm> MakeCase(const RowShape& shape, int32_t n_groups, bool in_place) {
  Case<RmsNorm> c{fmt::format("rms_norm {} groups {}{}", shape.name(), n_groups, in_place ? " in place" : ""),
                  {1e-5f, n_groups},
                  {}};
  Random random(c.name);
  c.operands.in[0] = random.Tensor(shape.n_rows, shape.n_cols, 2.0f, shape.gap);
  if (!in_place) c.operands.out[0] = Output(shape.n_rows, shape.n_cols, shape.gap);
  c.operands.out_is_in[0] = in_place ? 0 : -1;
  c.operands.weight[0] = random.Vector(shape.n_cols / n_groups, 1.0f, 0.2f);
  c.operands.batch = MakeBatch(static_cast<int32_t>(shape.n_rows));
  return c;
}

}  // namespace

template <>
std::vector<Case<RmsNorm>> CasesOf<RmsNorm>::Make(Format) {
  std::vector<Case<RmsNorm>> cases;
  for (const RowShape& shape : RowShapes()) {
    cases.push_back(MakeCase(shape, 1, false));
    cases.push_back(MakeCase(shape, 1, true));
  }
  // Heads of 64, 80, 96, 128 and 256, and odd ones.
  for (int32_t head_dim : {1, 7, 64, 80, 96, 128, 256}) {
    for (int32_t n_heads : {1, 3, 8}) {
      cases.push_back(MakeCase({5, head_dim * n_heads, 0}, n_heads, false));
      cases.push_back(MakeCase({33, head_dim * n_heads, 9}, n_heads, true));
    }
  }
  return cases;
}

}  // namespace rf::conformance
