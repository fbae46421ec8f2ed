#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/random.h"

namespace rf::conformance {
namespace {

Case<Embed> MakeCase(Format format, int32_t n_tokens, int64_t n_cols, float scale) {
  Case<Embed> c{fmt::format("embed {} tokens, {} columns, scale {}", n_tokens, n_cols, scale), {scale}, {}};
  Random random(c.name);
  constexpr int32_t kVocab = 19;
  c.operands.weight[0] = random.Weight(format, 1, kVocab, n_cols);
  c.operands.batch = MakeBatch(n_tokens);
  for (int32_t& id : c.operands.batch.token_ids) id = random.Below(kVocab);
  c.operands.batch.token_ids.front() = kVocab - 1;
  c.operands.out[0] = Output(n_tokens, n_cols, n_tokens % 2 * 3);
  c.bounds.fill(kSameBits);  // Unpacking is exact, and the product with the scale is rounded once.
  return c;
}

}  // namespace

template <>
std::vector<Case<Embed>> CasesOf<Embed>::Make(Format format) {
  const int64_t block = GetFormatInfo(format).block_elements;
  std::vector<Case<Embed>> cases;
  for (int64_t n_cols : {block, 3 * block, block == 1 ? 577 : 4 * block}) {
    for (int32_t n_tokens : {1, 7, 8, 33}) {
      cases.push_back(MakeCase(format, n_tokens, n_cols, 1.0f));
      cases.push_back(MakeCase(format, n_tokens, n_cols, 25.298221f));
    }
  }
  return cases;
}

}  // namespace rf::conformance
