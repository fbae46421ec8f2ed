#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/cases/row_shapes.h"

namespace rf::conformance {
namespace {

Case<Glu> MakeCase(const RowShape& shape, Activation activation, int alias) {
  Case<Glu> c{fmt::format("glu {} {} alias {}", shape.name(), activation == Activation::kSilu ? "silu" : "gelu", alias),
              {activation},
              {}};
  Random random(c.name);
  c.operands.in[0] = random.Tensor(shape.n_rows, shape.n_cols, 3.0f, shape.gap);
  c.operands.in[1] = random.Tensor(shape.n_rows, shape.n_cols, 1.0f, shape.gap);
  if (alias < 0) c.operands.out[0] = Output(shape.n_rows, shape.n_cols, shape.gap);
  c.operands.out_is_in[0] = alias;
  c.operands.batch = MakeBatch(static_cast<int32_t>(shape.n_rows));
  return c;
}

}  // namespace

template <>
std::vector<Case<Glu>> CasesOf<Glu>::Make(Format) {
  std::vector<Case<Glu>> cases;
  for (const RowShape& shape : RowShapes()) {
    for (Activation activation : {Activation::kSilu, Activation::kGeluTanh}) {
      for (int alias : {-1, 0, 1}) cases.push_back(MakeCase(shape, activation, alias));
    }
  }
  return cases;
}

}  // namespace rf::conformance
