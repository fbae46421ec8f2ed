#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/cases/row_shapes.h"

namespace rf::conformance {
namespace {

Case<SoftCap> MakeCase(const RowShape& shape, const SoftCap::Attrs& attrs, bool in_place) {
  Case<SoftCap> c{
      fmt::format("soft_cap {} cap {} scale {}{}", shape.name(), attrs.cap, attrs.scale, in_place ? " in place" : ""),
      attrs,
      {}};
  Random random(c.name);
  c.operands.in[0] = random.Tensor(shape.n_rows, shape.n_cols, 20.0f, shape.gap);
  if (!in_place) c.operands.out[0] = Output(shape.n_rows, shape.n_cols, shape.gap);
  c.operands.out_is_in[0] = in_place ? 0 : -1;
  c.operands.batch = MakeBatch(static_cast<int32_t>(shape.n_rows));
  return c;
}

}  // namespace

template <>
std::vector<Case<SoftCap>> CasesOf<SoftCap>::Make(Format) {
  std::vector<Case<SoftCap>> cases;
  for (const RowShape& shape : RowShapes()) {
    cases.push_back(MakeCase(shape, {30.0f, 1.0f}, false));
    cases.push_back(MakeCase(shape, {5.0f, 0.125f}, true));
    cases.push_back(MakeCase(shape, {0.0f, 0.3f}, false));
    cases.push_back(MakeCase(shape, {0.0f, 1.0f}, true));
    cases.push_back(MakeCase(shape, {1000.0f, 1.0f}, false));  // tanh's series
  }
  return cases;
}

}  // namespace rf::conformance
