#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/random.h"

namespace rf::conformance {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct VocabShape {
  int32_t n_rows;
  int32_t n_vocab;
  int32_t k;
};

Case<BestLogits> MakeCase(const VocabShape& shape, const std::string& what, float spread) {
  Case<BestLogits> c{
      fmt::format("best_logits {} of {}, {} rows, {}", shape.k, shape.n_vocab, shape.n_rows, what), {}, {}};
  Random random(c.name);
  HostOperands& operands = c.operands;
  operands.in[0] = random.Tensor(shape.n_rows, shape.n_vocab, spread, 5);
  operands.out[0] = Output(shape.n_rows, shape.k, 3, Format::kI32);
  operands.out[1] = Output(shape.n_rows, shape.k, 2);
  operands.out[2] = Output(shape.n_rows, BestLogits::PartsOf(shape.n_vocab), 1);
  operands.out_is_in[3] = 0;
  operands.batch = MakeBatch(shape.n_rows);
  operands.batch.output_rows.resize(static_cast<size_t>(shape.n_rows));
  std::iota(operands.batch.output_rows.begin(), operands.batch.output_rows.end(), 0);
  operands.batch.best_factors.assign(static_cast<size_t>(shape.n_rows), 1.442695f);
  operands.batch.first_change.assign(static_cast<size_t>(shape.n_rows) + 1, 0);
  c.bounds[1] = c.bounds[3] = kSameBits;
  return c;
}

// Several for some tokens, and for every row other ones.
Case<BestLogits> WithChanges(Case<BestLogits> c, int32_t n_per_row) {
  Random random(c.name + " changes");
  HostBatch& batch = c.operands.batch;
  const auto n_vocab = static_cast<int32_t>(c.operands.in[0]->n_cols);
  for (size_t row = 0; row < batch.best_factors.size(); ++row) {
    std::vector<LogitChange> changes;
    for (int32_t i = 0; i < n_per_row; ++i) {
      const auto kind = static_cast<LogitChangeKind>(random.Below(3));
      const float operand = kind == LogitChangeKind::kAdd        ? random.Normal(3.0f)
                            : kind == LogitChangeKind::kPenalize ? 1.0f + std::fabs(random.Normal())
                                                                 : -kInfinity;
      changes.push_back({random.Below(n_vocab), kind, operand});
      if (i % 3 == 0) changes.push_back({changes.back().token, LogitChangeKind::kAdd, random.Normal()});
    }
    std::stable_sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) { return a.token < b.token; });
    batch.changes.insert(batch.changes.end(), changes.begin(), changes.end());
    batch.first_change[row + 1] = static_cast<int32_t>(batch.changes.size());
  }
  return c;
}

// Few different values, so that there are ties everywhere, at the last place too.
Case<BestLogits> WithTies(Case<BestLogits> c, float step) {
  HostTensor& logits = *c.operands.in[0];
  for (int64_t row = 0; row < logits.n_rows; ++row) {
    for (int64_t i = 0; i < logits.n_cols; ++i) logits.Set(row, i, std::round(logits.At(row, i) / step) * step);
  }
  return c;
}

// Most are no numbers that may be chosen: fewer than k are left in even rows.
Case<BestLogits> WithHoles(Case<BestLogits> c) {
  HostTensor& logits = *c.operands.in[0];
  Random random(c.name + " holes");
  for (int64_t row = 0; row < logits.n_rows; ++row) {
    for (int64_t i = 0; i < logits.n_cols; ++i) {
      if (row % 2 == 0 ? i % 97 == 5 : i % 3 == 0) continue;
      logits.Set(row, i, random.Below(2) == 0 ? -kInfinity : std::nanf(""));
    }
  }
  return c;
}

// Rows of which nothing is wanted, or no sums: there the outputs stay what they were.
Case<BestLogits> WithFewWanted(Case<BestLogits> c) {
  for (size_t row = 0; row < c.operands.batch.best_factors.size(); ++row) {
    c.operands.batch.best_factors[row] = row % 3 == 0 ? -1.0f : row % 3 == 1 ? 0.0f : 0.3f;
  }
  return c;
}

}  // namespace

template <>
std::vector<Case<BestLogits>> CasesOf<BestLogits>::Make(Format) {
  std::vector<Case<BestLogits>> cases;
  cases.push_back(MakeCase({1, 1000, 8}, "plain", 3.0f));
  for (const VocabShape& shape :
       {VocabShape{3, 1, 1}, VocabShape{2, 5, 128}, VocabShape{2, 128, 128}, VocabShape{2, 1023, 64},
        VocabShape{3, 1025, 7}, VocabShape{1, 4096, 128}, VocabShape{2, 4097, 128}, VocabShape{2, 20'000, 40}}) {
    cases.push_back(MakeCase(shape, "plain", 3.0f));
    cases.push_back(WithChanges(MakeCase(shape, "changed", 3.0f), shape.n_vocab < 100 ? 3 : 300));
  }
  cases.push_back(WithTies(MakeCase({3, 9000, 100}, "ties", 2.0f), 0.5f));
  cases.push_back(WithTies(MakeCase({2, 9000, 128}, "one value", 1.0f), 1000.0f));
  cases.push_back(WithHoles(MakeCase({4, 9000, 128}, "holes", 2.0f)));
  cases.push_back(MakeCase({2, 5000, 16}, "far apart", 1000.0f));
  cases.push_back(WithChanges(WithFewWanted(MakeCase({7, 3000, 20}, "few wanted", 2.0f)), 20));
  if (IsSmallRun()) return cases;
  cases.push_back(MakeCase({1, 262'208, 128}, "plain", 3.0f));  // the best of tiles in more than one round
  cases.push_back(WithTies(MakeCase({1, 151'851, 128}, "ties", 0.3f), 0.5f));
  cases.push_back(WithChanges(MakeCase({67, 700, 16}, "changed", 2.0f), 10));  // more rows than a launch takes
  return cases;
}

}  // namespace rf::conformance
