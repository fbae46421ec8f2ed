// Each op's Check refuses wrong shapes and formats and names the operand. Every case starts from one that is accepted.
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/case.h"
#include "conformance/run.h"

namespace rf::conformance {
namespace {

template <typename Op>
struct Damage {
  const char* says;  ///< part of the message
  std::function<void(typename Op::Args&)> damage;
};

/// Each damage to an accepted case must be refused in words that contain `says` and begin with the op's name.
template <typename Op>
void ExpectRefusals(Format key, const std::vector<Damage<Op>>& damages, size_t case_index = 0) {
  const Case<Op> c = CasesOf<Op>::Make(key).at(case_index);
  const PlacedOperands placed(c.operands, nullptr, IdOfOp<Op>());
  const typename Op::Args good = Op::Bind(c.attrs, placed.operands());
  ASSERT_TRUE(Op::Check(good).has_value()) << Op::Check(good).error().ToString();
  for (const Damage<Op>& d : damages) {
    typename Op::Args args = good;
    d.damage(args);
    const Status status = Op::Check(args);
    ASSERT_FALSE(status.has_value()) << "accepted, instead of: " << d.says;
    EXPECT_THAT(status.error().message, testing::HasSubstr(d.says));
    EXPECT_THAT(status.error().message, testing::StartsWith(std::string(OpName(IdOfOp<Op>())) + ": "));
  }
}

TEST(Check, Embed) {
  ExpectRefusals<Embed>(Format::kQ4_0, {{"weight is", [](auto& a) { a.weight.n_cols *= 2; }},
                                        {"block of 32", [](auto& a) { a.weight.n_cols = a.y.n_cols = 33; }},
                                        {"y is", [](auto& a) { a.y.n_rows += 1; }},
                                        {"y is", [](auto& a) { a.y.format = Format::kF16; }}});
}

TEST(Check, RmsNorm) {
  ExpectRefusals<RmsNorm>(Format::kF32, {{"n_groups", [](auto& a) { a.attrs.n_groups = 0; }},
                                         {"n_groups", [](auto& a) { a.attrs.n_groups = 2; }},
                                         {"x is", [](auto& a) { a.x.n_rows += 1; }},
                                         {"weight is", [](auto& a) { a.weight.n_cols += 1; }},
                                         {"weight is", [](auto& a) { a.weight.format = Format::kF16; }},
                                         {"y is", [](auto& a) { a.y.format = Format::kI32; }}});
}

TEST(Check, MatMul) {
  // The first case has no bias and no residual; the views given here are never followed.
  ExpectRefusals<MatMul>(
      Format::kQ8_0,
      {{"1 to 3 parts", [](auto& a) { a.n_parts = 0; }},
       {"1 to 3 parts", [](auto& a) { a.n_parts = 4; }},
       {"x is", [](auto& a) { a.x.format = Format::kF16; }},
       {"x is", [](auto& a) { a.x.row_stride = a.x.n_cols - 1; }},
       {"weight is",
        [](auto& a) {
          a.x.n_cols += 32;
          a.x.row_stride += 32;
        }},
       {"weight is", [](auto& a) { a.parts[0].weight.n_rows -= 1; }},
       {"block of 32", [](auto& a) { a.parts[0].weight.n_cols -= 1; }},
       {"y is", [](auto& a) { a.parts[0].y.n_rows += 1; }},
       {"bias is", [](auto& a) { a.parts[0].bias = {a.x.data, Format::kF32, 0, 1, 1, a.parts[0].y.n_cols + 1}; }},
       {"bias is", [](auto& a) { a.parts[0].bias = {a.x.data, Format::kF16, 0, 1, 1, a.parts[0].y.n_cols}; }},
       {"residual is", [](auto& a) { (a.residual = a.parts[0].y).n_cols -= 1; }},
       {"one part only", [](auto& a) {
          a.parts[1] = a.parts[0];
          a.n_parts = 2;
          a.residual = a.parts[0].y;
        }}});
}

TEST(Check, RopeTable) {
  ExpectRefusals<RopeTable>(Format::kF32, {{"even", [](auto& a) { a.table.n_cols += 1; }},
                                           {"frequencies is", [](auto& a) { a.frequencies.n_cols += 1; }},
                                           {"table is", [](auto& a) { a.table.n_rows += 1; }},
                                           {"table is", [](auto& a) { a.table.format = Format::kBF16; }}});
}

TEST(Check, Rope) {
  ExpectRefusals<Rope>(Format::kF32, {{"rope_dim", [](auto& a) { a.attrs.rope_dim = 0; }},
                                      {"rope_dim", [](auto& a) { a.attrs.rope_dim = 1; }},
                                      {"rope_dim", [](auto& a) { a.attrs.rope_dim = a.attrs.head_dim + 2; }},
                                      {"x is",
                                       [](auto& a) {
                                         a.x.n_cols += 1;
                                         a.x.row_stride += 1;
                                       }},
                                      {"x is", [](auto& a) { a.x.format = Format::kF16; }},
                                      {"table is", [](auto& a) { a.table.n_rows += 1; }},
                                      {"table is", [](auto& a) {
                                         a.table.n_cols += 2;
                                         a.table.row_stride += 2;
                                       }}});
}

TEST(Check, KvStore) {
  ExpectRefusals<KvStore>(Format::kQ8_0,
                          {{"k is", [](auto& a) { a.k.n_cols -= 1; }},
                           {"v is", [](auto& a) { a.v.n_rows += 1; }},
                           {"v is", [](auto& a) { a.v.format = Format::kF16; }},
                           {"Q8_0 does not go with a head size of 80", [](auto& a) { a.kv.head_dim = 80; }},
                           {"Q6_K", [](auto& a) { a.kv.format = Format::kQ6_K; }},
                           {"positive", [](auto& a) { a.kv.n_kv_heads = 0; }},
                           {"positive", [](auto& a) { a.kv.page_tokens = 0; }},
                           {"positive", [](auto& a) { a.kv.head_dim = 0; }}});
}

TEST(Check, Attention) {
  ExpectRefusals<Attention>(
      Format::kF16, {{"multiple of n_kv_heads", [](auto& a) { a.attrs.n_heads += 1; }},
                     {"multiple of n_kv_heads", [](auto& a) { a.attrs.n_heads = 0; }},
                     {"q is", [](auto& a) { a.q.n_cols -= 1; }},
                     {"y is", [](auto& a) { a.y.n_rows += 1; }},
                     {"y is", [](auto& a) { a.y.format = Format::kF16; }},
                     {"sinks is", [](auto& a) { a.sinks = {a.q.data, Format::kF32, 0, 1, 1, a.attrs.n_heads + 1}; }},
                     {"window", [](auto& a) { a.attrs.window = -1; }},
                     {"soft_cap", [](auto& a) { a.attrs.soft_cap = -1.0f; }},
                     {"positive", [](auto& a) { a.kv.page_tokens = -1; }},
                     {"positive", [](auto& a) { a.kv.n_kv_heads = 0; }},
                     {"Q4_K", [](auto& a) { a.kv.format = Format::kQ4_K; }}});
}

TEST(Check, Glu) {
  ExpectRefusals<Glu>(Format::kF32, {{"gate is", [](auto& a) { a.gate.n_cols -= 1; }},
                                     {"up is", [](auto& a) { a.up.n_rows += 1; }},
                                     {"up is", [](auto& a) { a.up.format = Format::kF16; }},
                                     {"y is", [](auto& a) { a.y.format = Format::kF16; }}});
}

TEST(Check, Add) {
  ExpectRefusals<Add>(Format::kF32, {{"a is", [](auto& a) { a.a.n_cols -= 1; }},
                                     {"b is", [](auto& a) { a.b.n_rows += 1; }},
                                     {"b is", [](auto& a) { a.b.format = Format::kI32; }},
                                     {"y is", [](auto& a) { a.y.format = Format::kF16; }}});
}

TEST(Check, SoftCap) {
  ExpectRefusals<SoftCap>(Format::kF32, {{"negative", [](auto& a) { a.attrs.cap = -1.0f; }},
                                         {"x is", [](auto& a) { a.x.n_cols -= 1; }},
                                         {"y is", [](auto& a) { a.y.format = Format::kF16; }}});
}

TEST(Check, GatherRows) {
  ExpectRefusals<GatherRows>(Format::kF32, {{"x is", [](auto& a) { a.x.n_rows += 1; }},
                                            {"x is",
                                             [](auto& a) {
                                               a.x.n_cols += 1;
                                               a.x.row_stride += 1;
                                             }},
                                            {"y is", [](auto& a) { a.y.n_rows += 1; }},
                                            {"y is", [](auto& a) { a.y.format = Format::kF16; }}});
}

TEST(Check, BestLogits) {
  ExpectRefusals<BestLogits>(Format::kF32, {{"1 to 128", [](auto& a) { a.ids.n_cols = 129; }},
                                            {"1 to 128", [](auto& a) { a.ids.n_cols = 0; }},
                                            {"logits is", [](auto& a) { a.logits.n_rows += 1; }},
                                            {"logits is", [](auto& a) { a.logits.format = Format::kF16; }},
                                            {"ids is", [](auto& a) { a.ids.format = Format::kF32; }},
                                            {"ids is", [](auto& a) { a.ids.n_rows += 1; }},
                                            {"values is", [](auto& a) { a.values.n_cols += 1; }},
                                            {"sums is", [](auto& a) { a.sums.n_cols += 1; }},
                                            {"in place", [](auto& a) { a.changed.data = a.values.data; }}});
}

TEST(Check, MoeRoute) {
  ExpectRefusals<MoeRoute>(Format::kF32, {{"n_used", [](auto& a) { a.attrs.n_used = 0; }},
                                          {"n_used", [](auto& a) { a.attrs.n_used = 9; }},
                                          {"logits is", [](auto& a) { a.logits.format = Format::kF16; }},
                                          {"ids is", [](auto& a) { a.ids.format = Format::kF32; }},
                                          {"ids is", [](auto& a) { a.ids.n_cols -= 1; }},
                                          {"weights is", [](auto& a) { a.weights.n_rows += 1; }}});
}

TEST(Check, MoeMatMul) {
  ExpectRefusals<MoeMatMul>(Format::kQ4_0, {{"ids is", [](auto& a) { a.ids.format = Format::kF32; }},
                                            {"a row for each token", [](auto& a) { a.x.n_rows += 5; }},
                                            {"x is", [](auto& a) { a.x.format = Format::kBF16; }},
                                            {"weight is", [](auto& a) { a.weight.n_rows += 1; }},
                                            {"weight is", [](auto& a) { a.weight.n_cols += 32; }},
                                            {"y is", [](auto& a) { a.y.n_rows += 1; }}});
}

TEST(Check, MoeCombine) {
  ExpectRefusals<MoeCombine>(Format::kF32, {{"weights is", [](auto& a) { a.weights.n_rows += 1; }},
                                            {"x is", [](auto& a) { a.x.n_rows += 1; }},
                                            {"x is", [](auto& a) { a.x.n_cols -= 1; }},
                                            {"y is", [](auto& a) { a.y.format = Format::kF16; }}});
}

}  // namespace
}  // namespace rf::conformance
