#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/cases/weight_shapes.h"
#include "conformance/random.h"

namespace rf::conformance {
namespace {

struct Shape {
  int32_t n_tokens;
  int32_t n_experts;
  int32_t n_used;
  int64_t d_in;
  int64_t d_out;
  bool shared_x;  // one row of x for each token, not for each of its experts
};

Case<MoeMatMul> MakeCase(Format format, const Shape& shape) {
  Case<MoeMatMul> c{fmt::format("moe_matmul {} tokens, {} of {} experts [{}, {}]{}", shape.n_tokens, shape.n_used,
                                shape.n_experts, shape.d_out, shape.d_in, shape.shared_x ? ", shared x" : ""),
                    {},
                    {}};
  Random random(c.name);
  c.bounds[0] = ProductBound(format);
  const int64_t per_token = shape.shared_x ? 1 : shape.n_used;
  c.operands.in[0] = random.Tensor(shape.n_tokens * per_token, shape.d_in, 1.0f, 3);
  c.operands.in[0]->rows_per_token = per_token;
  // Different experts for each token; the last expert is nobody's if there are more than a token uses.
  HostTensor ids = Output(shape.n_tokens, shape.n_used, 1, Format::kI32);
  const int32_t n_chosen = shape.n_experts > shape.n_used ? shape.n_experts - 1 : shape.n_experts;
  for (int32_t t = 0; t < shape.n_tokens; ++t) {
    const int32_t first = random.Below(n_chosen);
    for (int32_t j = 0; j < shape.n_used; ++j) ids.SetInt(t, j, (first + j) % n_chosen);
  }
  c.operands.in[1] = std::move(ids);
  c.operands.weight[0] = random.Weight(format, shape.n_experts, shape.d_out, shape.d_in);
  c.operands.out[0] = Output(static_cast<int64_t>(shape.n_tokens) * shape.n_used, shape.d_out, 2);
  c.operands.out[0]->rows_per_token = shape.n_used;
  c.operands.batch = MakeBatch(shape.n_tokens);
  return c;
}

}  // namespace

template <>
std::vector<Case<MoeMatMul>> CasesOf<MoeMatMul>::Make(Format format) {
  const int64_t few = FewColumns(format);
  std::vector<Case<MoeMatMul>> cases;
  for (bool shared_x : {false, true}) {
    for (int32_t n_tokens : {1, 2, 9, 40}) {
      cases.push_back(MakeCase(format, {n_tokens, 4, 2, few, 17, shared_x}));
      cases.push_back(MakeCase(format, {n_tokens, 9, 1, few, 16, shared_x}));
    }
    cases.push_back(MakeCase(format, {6, 3, 3, ManyColumns(format), 20, shared_x}));
    cases.push_back(MakeCase(format, {40, 3, 3, ManyColumns(format), 130, shared_x}));
    cases.push_back(MakeCase(format, {IsSmallRun() ? 70 : 150, 2, 2, few, 5, shared_x}));  // every expert has many
  }
  return cases;
}

}  // namespace rf::conformance
