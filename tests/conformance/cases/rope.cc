#include <cmath>

#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/random.h"

namespace rf::conformance {
namespace {

Case<Rope> MakeCase(int32_t n_tokens, const Rope::Attrs& attrs, int64_t gap, int32_t n_second = 0) {
  Case<Rope> c{
      fmt::format("rope {} tokens, {} and {} heads of {}, {} rotated, {}", n_tokens, attrs.n_heads, n_second,
                  attrs.head_dim, attrs.rope_dim, attrs.pairing == RopePairing::kAdjacent ? "adjacent" : "halves"),
      attrs,
      {}};
  Random random(c.name);
  HostTensor table = Output(n_tokens, attrs.rope_dim, gap);
  for (int32_t t = 0; t < n_tokens; ++t) {
    for (int32_t j = 0; j < attrs.rope_dim / 2; ++j) {
      const double angle = random.Normal(3.0f);
      table.Set(t, 2 * j, static_cast<float>(std::cos(angle)));
      table.Set(t, 2 * j + 1, static_cast<float>(std::sin(angle)));
    }
  }
  c.operands.in[0] = std::move(table);
  c.operands.in[1] = random.Tensor(n_tokens, static_cast<int64_t>(attrs.n_heads) * attrs.head_dim, 1.0f, gap);
  c.operands.out_is_in[0] = 1;
  if (n_second > 0) {
    c.operands.in[2] = random.Tensor(n_tokens, static_cast<int64_t>(n_second) * attrs.head_dim, 1.0f, gap);
    c.operands.out_is_in[1] = 2;
  }
  c.operands.batch = MakeBatch(n_tokens);
  return c;
}

}  // namespace

template <>
std::vector<Case<Rope>> CasesOf<Rope>::Make(Format) {
  std::vector<Case<Rope>> cases;
  for (RopePairing pairing : {RopePairing::kAdjacent, RopePairing::kHalves}) {
    for (int32_t head_dim : {2, 64, 80, 96, 128, 256}) {
      for (int32_t n_tokens : {1, 5, 70}) {
        cases.push_back(MakeCase(n_tokens, {3, head_dim, head_dim, pairing}, 0));
        cases.push_back(MakeCase(n_tokens, {4, head_dim, head_dim, pairing}, 3, 1));
        if (head_dim < 64) continue;
        cases.push_back(MakeCase(n_tokens, {2, head_dim, head_dim / 4, pairing}, 5));
        cases.push_back(MakeCase(n_tokens, {1, head_dim, 22, pairing}, 0));  // vector tails
        cases.push_back(MakeCase(n_tokens, {2, head_dim, head_dim / 4, pairing}, 0, 2));
      }
    }
  }
  return cases;
}

}  // namespace rf::conformance
