#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/random.h"

namespace rf::conformance {
namespace {

Case<MoeRoute> MakeCase(int32_t n_tokens, int32_t n_experts, const MoeRoute::Attrs& attrs, float spread) {
  Case<MoeRoute> c{fmt::format("moe_route {} tokens, {} of {}{}, spread {}", n_tokens, attrs.n_used, n_experts,
                               attrs.normalize ? ", normalized" : "", spread),
                   attrs,
                   {}};
  Random random(c.name);
  c.operands.in[0] = random.Tensor(n_tokens, n_experts, spread, 3);
  // Ties in every row but the first: the lower index must win.
  for (int32_t t = 1; t < n_tokens; ++t) {
    const int32_t from = random.Below(n_experts);
    c.operands.in[0]->Set(t, random.Below(n_experts), c.operands.in[0]->At(t, from));
  }
  c.operands.out[0] = Output(n_tokens, attrs.n_used, 1, Format::kI32);
  c.operands.out[1] = Output(n_tokens, attrs.n_used, 2);
  c.operands.batch = MakeBatch(n_tokens);
  return c;
}

}  // namespace

template <>
std::vector<Case<MoeRoute>> CasesOf<MoeRoute>::Make(Format) {
  std::vector<Case<MoeRoute>> cases;
  for (int32_t n_tokens : {1, 5, 33}) {
    for (bool normalize : {false, true}) {
      cases.push_back(MakeCase(n_tokens, 8, {2, normalize, 1.0f}, 1.0f));
      cases.push_back(MakeCase(n_tokens, 128, {8, normalize, 2.5f}, 3.0f));
      cases.push_back(MakeCase(n_tokens, 5, {5, normalize, 1.0f}, 0.0f));  // all alike, all chosen
      cases.push_back(MakeCase(n_tokens, 1, {1, normalize, 0.5f}, 1.0f));
      cases.push_back(MakeCase(n_tokens, 16, {4, normalize, 1.0f}, 2000.0f));  // exp() of the raw logits would overflow
    }
  }
  return cases;
}

}  // namespace rf::conformance
