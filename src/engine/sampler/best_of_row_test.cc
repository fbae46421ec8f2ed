// The best logits of a row choose the token that the whole row would have chosen, or none.
#include "engine/sampler/best_of_row.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "engine/sampler/sampler.h"

namespace rf {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// What a device would give of a row.
struct DeviceBest {
  std::vector<int32_t> ids;
  std::vector<float> logits;
  std::vector<float> sums;

  BestOfRow view() const { return {ids, logits, sums}; }
};

DeviceBest BestOf(std::span<const float> row, size_t k, float factor) {
  DeviceBest best;
  std::vector<int32_t> order;
  for (size_t i = 0; i < row.size(); ++i) {
    if (row[i] > -kInfinity) order.push_back(static_cast<int32_t>(i));
  }
  std::stable_sort(order.begin(), order.end(),
                   [row](int32_t a, int32_t b) { return row[static_cast<size_t>(a)] > row[static_cast<size_t>(b)]; });
  order.resize(std::max(order.size(), k), -1);
  best.ids.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k));
  for (const int32_t id : best.ids) best.logits.push_back(id < 0 ? -kInfinity : row[static_cast<size_t>(id)]);
  std::vector<float> weights(kPart);
  for (size_t begin = 0; begin < row.size() && factor > 0.0f; begin += kPart) {
    const auto part = row.subspan(begin, std::min(kPart, row.size() - begin));
    best.sums.push_back(static_cast<float>(SumWeights(part, {best.logits.front(), factor}, weights)));
  }
  return best;
}

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  size_t Below(size_t n) { return engine_() % n; }
  bool Chance(double p) { return Uniform() < p; }
  float Uniform() { return static_cast<float>(engine_() >> 40) * 0x1p-24f; }
  float Normal() { return normal_(engine_); }

 private:
  std::mt19937_64 engine_;
  std::normal_distribution<float> normal_;
};

// Steep, flat, few and then many that are alike, with ties, with holes.
std::vector<float> MakeRow(Random& random, size_t n) {
  constexpr float kSpreads[] = {0.02f, 0.5f, 2.0f, 4.0f, 10.0f};
  const float spread = kSpreads[random.Below(5)];
  const float step = random.Chance(0.3) ? 0.25f : 0.0f;
  const float hole = random.Chance(0.2) ? 0.3f : 0.0f;
  std::vector<float> row(n);
  for (float& logit : row) {
    logit = random.Normal() * spread;
    if (step > 0.0f) logit = std::round(logit / step) * step;
    if (random.Uniform() < hole) logit = random.Chance(0.5) ? -kInfinity : std::nanf("");
  }
  if (random.Chance(0.4)) {  // a few hold most of the probability, whatever the rest is
    for (int i = 0; i < 30; ++i) row[random.Below(n)] = std::log(static_cast<float>(n)) + spread + random.Normal();
  }
  return row;
}

SamplingParams MakeParams(Random& random, size_t n) {
  SamplingParams params;
  params.seed = random.Below(1'000'000);
  if (random.Chance(0.1)) return params;
  params.temperature = 0.1f + 2.0f * random.Uniform();
  if (random.Chance(0.4)) params.top_k = static_cast<int32_t>(1 + random.Below(150));
  if (random.Chance(0.6)) params.top_p = 0.3f + 0.7f * random.Uniform();
  if (random.Chance(0.4)) params.min_p = 0.5f * random.Uniform() * random.Uniform();
  if (random.Chance(0.1)) params.typical_p = random.Uniform();
  if (random.Chance(0.2)) params.xtc_probability = 0.5f;
  if (random.Chance(0.1)) params.adaptive_target = random.Uniform();
  if (random.Chance(0.1)) params.mirostat = 2;
  if (random.Chance(0.1)) params.dynatemp_range = 0.1f;
  if (random.Chance(0.1)) params.top_n_sigma = 2.0f;
  if (random.Chance(0.3)) params.repetition_penalty = 1.3f;
  if (random.Chance(0.3)) params.frequency_penalty = 0.4f;
  if (random.Chance(0.2)) params.dry_multiplier = 0.8f;
  if (random.Chance(0.2)) params.banned_ids = {static_cast<int32_t>(random.Below(n))};
  if (random.Chance(0.2)) params.logit_bias = {{static_cast<int32_t>(random.Below(n)), 3.0f * random.Normal()}};
  if (random.Chance(0.3)) {
    params.order = {SamplingStep::kTopP, SamplingStep::kXtc,      SamplingStep::kTopK,
                    SamplingStep::kMinP, SamplingStep::kTypicalP, SamplingStep::kTemperature};
    for (size_t i = params.order.size(); i > 1; --i) std::swap(params.order[i - 1], params.order[random.Below(i)]);
  }
  return params;
}

// What came of many rows.
struct Tally {
  int n_never = 0;
  int n_chosen = 0;
  int n_unknown = 0;
};

// Both samplers go on after each token, so that what they remember is compared too.
void Compare(Random& random, size_t n, Tally& tally) {
  constexpr size_t kBest = 128;
  constexpr int kTokens = 6;
  const SamplingParams params = MakeParams(random, n);
  const std::vector<int32_t> prompt = {1, 2, 0, 1, 2};  // ids of the smallest vocabulary too
  Sampler by_row(params, prompt);
  Sampler by_best(params, prompt);
  if (!by_best.MayChooseFromBest(std::min(n, kBest))) {
    ++tally.n_never;
    return;
  }
  for (int i = 0; i < kTokens; ++i) {
    const std::vector<float> row = MakeRow(random, n);
    std::vector<LogitChange> changes;
    by_best.ListChanges(changes);
    std::vector<float> changed = row;
    MakeChanges(changes, changed);
    const DeviceBest best = BestOf(changed, std::min(n, kBest), by_best.SumFactor());
    std::optional<int32_t> id = by_best.SampleFromBest(best.view());
    ++(id ? tally.n_chosen : tally.n_unknown);
    if (!id) id = by_best.SampleChanged(changed);
    ASSERT_EQ(id, by_row.Sample(row)) << n << " tokens, token " << i;
  }
}

TEST(BestOfRow, ChoosesWhatTheWholeRowWould) {
  Random random(20261129);
  Tally tally;
  for (const size_t n : {size_t{3}, size_t{64}, size_t{128}, size_t{700}, size_t{8192}, size_t{9000}}) {
    for (int i = 0; i < 400; ++i) Compare(random, n, tally);
  }
  for (int i = 0; i < 60; ++i) Compare(random, 50'000, tally);
  if (testing::Test::HasFatalFailure()) return;
  EXPECT_GT(tally.n_never, 300);
  EXPECT_GT(tally.n_chosen, 3000);
  EXPECT_GT(tally.n_unknown, 500);
}

// A tie at the last place of the best: others of that logit, not among them, might have been kept.
TEST(BestOfRow, DoesNotDecideATieAtItsEnd) {
  std::vector<float> row(1000, 1.0f);
  row[7] = 2.0f;
  const SamplingParams tied{.temperature = 1.0f, .min_p = 0.2f};
  EXPECT_FALSE(Sampler(tied, {}).SampleFromBest(BestOf(row, 128, 0.0f).view()));
  const SamplingParams first{.temperature = 1.0f, .min_p = 0.5f};
  EXPECT_EQ(Sampler(first, {}).SampleFromBest(BestOf(row, 128, 0.0f).view()), 7);
}

TEST(BestOfRow, NothingIsChosenFromNothing) {
  const std::vector<float> row(200, -kInfinity);
  EXPECT_FALSE(Sampler(SamplingParams{}, {}).SampleFromBest(BestOf(row, 128, 0.0f).view()));
  std::vector<float> infinite(200, 1.0f);
  infinite[3] = kInfinity;
  EXPECT_FALSE(Sampler(SamplingParams{}, {}).SampleFromBest(BestOf(infinite, 128, 0.0f).view()));
}

TEST(BestOfRow, WhatNeedsTheWholeDistribution) {
  EXPECT_TRUE(BestMayDecide({}, 1));
  EXPECT_FALSE(BestMayDecide({.temperature = 1.0f}, 128));
  EXPECT_TRUE(BestMayDecide({.temperature = 1.0f, .top_k = 128}, 128));
  EXPECT_FALSE(BestMayDecide({.temperature = 1.0f, .top_k = 129}, 128));
  EXPECT_FALSE(BestMayDecide({.temperature = 1.0f, .top_k = 40, .top_n_sigma = 1.0f}, 128));
  EXPECT_FALSE(BestMayDecide({.temperature = 1.0f, .dynatemp_range = 0.5f, .top_k = 40}, 128));
  EXPECT_TRUE(BestMayDecide({.temperature = 1.0f, .top_k = 40, .typical_p = 0.5f}, 128));
  EXPECT_FALSE(BestMayDecide({.temperature = 1.0f, .top_p = 0.5f, .typical_p = 0.5f}, 128));
  EXPECT_FALSE(BestMayDecide({.temperature = 1.0f, .top_k = 40, .mirostat = 2}, 128));
  EXPECT_EQ(SumFactor({.temperature = 0.5f, .top_p = 0.9f}), FactorOf(0.5f));
  EXPECT_EQ(SumFactor({.temperature = 0.5f, .top_k = 40, .top_p = 0.9f}), 0.0f);
  EXPECT_EQ(SumFactor({.temperature = 0.5f, .top_p = 0.9f, .order = {SamplingStep::kTopP}}), FactorOf(1.0f));
}

}  // namespace
}  // namespace rf
