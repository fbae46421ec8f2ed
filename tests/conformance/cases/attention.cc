#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/random.h"

namespace rf::conformance {
namespace {

struct AttentionShape {
  std::vector<SequenceShape> sequences;
  int32_t n_kv_heads;
  int32_t group;
  int32_t head_dim;
  int32_t page_tokens;
};

// The reference reads the same stored keys and values, so that the cache's format does not count.
Case<Attention> MakeCase(Format format, const AttentionShape& shape, Attention::Attrs attrs, bool sinks = false) {
  attrs.n_heads = shape.n_kv_heads * shape.group;
  attrs.scale = attrs.soft_cap != 0.0f ? 0.4f : 0.125f;
  Case<Attention> c{"attention", attrs, {}};
  for (const SequenceShape& s : shape.sequences) {
    c.name += fmt::format(" {}+{}", s.past, s.fresh);
  }
  c.name += fmt::format(", {}/{} heads of {}, pages of {}, window {}, cap {}, alibi {}{}", attrs.n_heads,
                        shape.n_kv_heads, shape.head_dim, shape.page_tokens, attrs.window, attrs.soft_cap,
                        attrs.alibi_max_bias, sinks ? ", sinks" : "");
  Random random(c.name);
  c.operands.batch = MakeBatch(shape.sequences);
  c.operands.kv =
      random.Cache(c.operands.batch, {format, 0, shape.n_kv_heads, shape.page_tokens, shape.head_dim, {}, {}});
  const int64_t n_cols = static_cast<int64_t>(attrs.n_heads) * shape.head_dim;
  c.operands.in[0] = random.Tensor(c.operands.batch.n_tokens(), n_cols, 1.0f, 4);
  c.operands.out[0] = Output(c.operands.batch.n_tokens(), n_cols, 1);
  if (sinks) c.operands.weight[0] = random.Vector(attrs.n_heads, 0.0f, 3.0f);
  return c;
}

std::vector<std::vector<SequenceShape>> SequenceMixes() {
  return {{{0, 1}},                                          // the first token
          {{700, 1}},                                        // decode over several chunks
          {{31, 1}, {32, 1}, {511, 1}, {512, 1}},            // decodes at every edge
          {{0, 40}},                                         // a prompt
          {{470, 75}, {0, 1}},                               // a later part of one, over a chunk's end
          {{0, 5}, {33, 1}, {100, 17}, {505, 20}, {0, 1}}};  // ragged: prompts, their later chunks, decodes
}

}  // namespace

template <>
std::vector<Case<Attention>> CasesOf<Attention>::Make(Format format) {
  const int32_t block = GetFormatInfo(format).block_elements;
  std::vector<Case<Attention>> cases;
  for (int32_t head_dim : {64, 80, 96, 128, 256}) {
    if (head_dim % block != 0) continue;
    for (int32_t group : {1, 2, 3, 7, 8}) {
      cases.push_back(MakeCase(format, {{{0, 5}, {33, 1}, {60, 9}}, 2, group, head_dim, 16}, {}));
    }
  }
  for (const auto& sequences : SequenceMixes()) {
    const AttentionShape shape{sequences, 1, 3, 64, 16};
    cases.push_back(MakeCase(format, {sequences, 2, 2, 96, 7}, {}));
    cases.push_back(MakeCase(format, shape, {}, true));
    for (int32_t window : {1, 4, 33, 512, 600}) cases.push_back(MakeCase(format, shape, {.window = window}));
    cases.push_back(MakeCase(format, shape, {.soft_cap = 5.0f}));
    cases.push_back(MakeCase(format, {sequences, 1, 7, 64, 32}, {.alibi_max_bias = 8.0f}));
    cases.push_back(MakeCase(format, {sequences, 2, 4, 64, 1}, {.window = 40, .soft_cap = 50.0f}, true));
  }
  return cases;
}

}  // namespace rf::conformance
