#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/cases/row_shapes.h"

namespace rf::conformance {
namespace {

Case<Add> MakeCase(const RowShape& shape, int alias) {
  Case<Add> c{fmt::format("add {} alias {}", shape.name(), alias), {}, {}};
  Random random(c.name);
  c.operands.in[0] = random.Tensor(shape.n_rows, shape.n_cols, 1.0f, shape.gap);
  c.operands.in[1] = random.Tensor(shape.n_rows, shape.n_cols, 100.0f, shape.gap);
  if (alias < 0) c.operands.out[0] = Output(shape.n_rows, shape.n_cols, shape.gap);
  c.operands.out_is_in[0] = alias;
  c.operands.batch = MakeBatch(static_cast<int32_t>(shape.n_rows));
  c.bounds.fill(kSameBits);  // One rounding of an exact sum: the same bits everywhere.
  return c;
}

}  // namespace

template <>
std::vector<Case<Add>> CasesOf<Add>::Make(Format) {
  std::vector<Case<Add>> cases;
  for (const RowShape& shape : RowShapes()) {
    for (int alias : {-1, 0, 1}) cases.push_back(MakeCase(shape, alias));
  }
  return cases;
}

}  // namespace rf::conformance
