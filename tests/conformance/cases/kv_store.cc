#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/random.h"

namespace rf::conformance {
namespace {

Case<KvStore> MakeCase(std::vector<SequenceShape> sequences, const HostKv& shape, float scale) {
  Case<KvStore> c{fmt::format("kv_store {} sequences, {} heads of {}, pages of {}, scale {}", sequences.size(),
                              shape.n_kv_heads, shape.head_dim, shape.page_tokens, scale),
                  {},
                  {}};
  Random random(c.name);
  c.operands.batch = MakeBatch(sequences);
  c.operands.kv = random.Cache(c.operands.batch, shape);
  const int64_t n_cols = static_cast<int64_t>(shape.n_kv_heads) * shape.head_dim;
  c.operands.in[0] = random.Tensor(c.operands.batch.n_tokens(), n_cols, scale, 2);
  c.operands.in[1] = random.Tensor(c.operands.batch.n_tokens(), n_cols, scale, 7);
  c.bounds.fill(kSameBits);  // Each value is rounded once, as the format's packer does.
  return c;
}

}  // namespace

template <>
std::vector<Case<KvStore>> CasesOf<KvStore>::Make(Format format) {
  std::vector<Case<KvStore>> cases;
  for (int32_t head_dim : {64, 80, 96, 128, 256}) {
    if (head_dim % GetFormatInfo(format).block_elements != 0) continue;
    for (int32_t page_tokens : {1, 16, 5}) {
      const HostKv shape{format, 0, 3, page_tokens, head_dim, {}, {}};
      cases.push_back(MakeCase({{0, 1}}, shape, 1.0f));
      cases.push_back(MakeCase({{13, 40}}, shape, 1.0f));
      cases.push_back(MakeCase({{0, 3}, {31, 1}, {16, 16}, {7, 1}}, shape, 30.0f));
      cases.push_back(MakeCase({{2, 9}}, shape, 1e-6f));  // subnormal in F16
    }
  }
  return cases;
}

}  // namespace rf::conformance
