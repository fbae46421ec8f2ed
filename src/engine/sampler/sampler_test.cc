#include "engine/sampler/sampler.h"

#include <cmath>
#include <limits>
#include <map>

#include <gtest/gtest.h>

namespace rf {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

// Probabilities 0.5, 0.25, 0.125, 0.125.
const std::vector<float> kLogits = {std::log(8.0f), std::log(4.0f), std::log(2.0f), std::log(2.0f)};

// How often each token comes in many draws.
std::map<int32_t, double> Shares(const SamplingParams& params, const std::vector<float>& logits = kLogits) {
  constexpr int kDraws = 40000;
  std::map<int32_t, double> shares;
  SamplingParams seeded = params;
  for (int i = 0; i < kDraws; ++i) {
    seeded.seed = static_cast<uint64_t>(i);
    shares[*Sampler(seeded, {}).Sample(logits)] += 1.0 / kDraws;
  }
  return shares;
}

// Three standard deviations of a share of 1/2 in 40,000 draws.
constexpr double kTolerance = 0.0075;

TEST(ArgMax, LowestIdAmongEqualsAndNeverNaN) {
  EXPECT_EQ(ArgMax(std::vector<float>{1, 3, 3, 2}), 1);
  EXPECT_EQ(ArgMax(std::vector<float>{kNaN, -1, kNaN, -2}), 1);
  EXPECT_EQ(ArgMax(std::vector<float>{kNaN, kNaN}), 0);
  EXPECT_EQ(ArgMax(std::vector<float>{-kInf, -kInf}), 0);
  std::vector<float> many(1000, -5.0f);
  for (const size_t place : {size_t{0}, size_t{15}, size_t{16}, size_t{991}, size_t{999}}) {
    many.assign(1000, -5.0f);
    many[place] = 7.0f;
    EXPECT_EQ(ArgMax(many), static_cast<int32_t>(place));
  }
}

TEST(Sampler, TemperatureZeroIsGreedy) {
  EXPECT_EQ(Sampler(SamplingParams{}, {}).Sample(kLogits), 0);
}

TEST(Sampler, DrawsFromTheModelsDistribution) {
  const auto shares = Shares({.temperature = 1.0f});
  EXPECT_NEAR(shares.at(0), 0.5, kTolerance);
  EXPECT_NEAR(shares.at(1), 0.25, kTolerance);
  EXPECT_NEAR(shares.at(2), 0.125, kTolerance);
  EXPECT_NEAR(shares.at(3), 0.125, kTolerance);
}

TEST(Sampler, TemperatureSharpens) {
  // Weights become squares: 64, 16, 4, 4 of 88.
  const auto shares = Shares({.temperature = 0.5f});
  EXPECT_NEAR(shares.at(0), 64.0 / 88, kTolerance);
  EXPECT_NEAR(shares.at(1), 16.0 / 88, kTolerance);
}

TEST(Sampler, TheSmallestTemperatureIsGreedy) {
  EXPECT_EQ(Shares({.temperature = 1e-38f}).at(0), Shares({.temperature = 1e-3f}).at(0));
  EXPECT_EQ(Shares({.temperature = 1e-38f}).size(), 1u);
}

TEST(Sampler, TopKKeepsTheBest) {
  const auto shares = Shares({.temperature = 1.0f, .top_k = 2});
  EXPECT_NEAR(shares.at(0), 2.0 / 3, kTolerance);
  EXPECT_NEAR(shares.at(1), 1.0 / 3, kTolerance);
  EXPECT_EQ(shares.size(), 2u);
}

TEST(Sampler, TopKPrefersTheLowerIdAmongEquals) {
  const auto shares = Shares({.temperature = 1.0f, .top_k = 3});
  EXPECT_TRUE(shares.count(2));
  EXPECT_FALSE(shares.count(3));
}

TEST(Sampler, TopPKeepsTheSmallestSetThatReachesIt) {
  EXPECT_EQ(Shares({.temperature = 1.0f, .top_p = 0.5f}).size(), 1u);
  EXPECT_EQ(Shares({.temperature = 1.0f, .top_p = 0.6f}).size(), 2u);
  EXPECT_EQ(Shares({.temperature = 1.0f, .top_p = 0.8f}).size(), 3u);
  EXPECT_EQ(Shares({.temperature = 1.0f, .top_p = 0.0f}).size(), 1u);
}

TEST(Sampler, MinPDropsWhatIsFarBelowTheBest) {
  EXPECT_EQ(Shares({.temperature = 1.0f, .min_p = 0.6f}).size(), 1u);
  EXPECT_EQ(Shares({.temperature = 1.0f, .min_p = 0.4f}).size(), 2u);
  EXPECT_EQ(Shares({.temperature = 1.0f, .min_p = 0.2f}).size(), 4u);
}

TEST(Sampler, TheSameSeedGivesTheSameTokens) {
  const SamplingParams params{.temperature = 1.0f, .seed = 42};
  Sampler a(params, {}), b(params, {});
  SamplingParams other = params;
  other.seed = 43;
  Sampler c(other, {});
  int n_different = 0;
  for (int i = 0; i < 50; ++i) {
    const int32_t token = *a.Sample(kLogits);
    EXPECT_EQ(token, b.Sample(kLogits));
    n_different += token != c.Sample(kLogits);
  }
  EXPECT_GT(n_different, 0);
}

TEST(Sampler, RepetitionPenaltySinksRecentTokensOfEitherSign) {
  const std::vector<int32_t> prompt = {0};
  EXPECT_EQ(Sampler({.repetition_penalty = 3.0f}, prompt).Sample(std::vector<float>{2.0f, 1.0f}), 1);
  EXPECT_EQ(Sampler({.repetition_penalty = 3.0f}, prompt).Sample(std::vector<float>{-1.0f, -2.0f}), 1);
  EXPECT_EQ(Sampler({.repetition_penalty = 3.0f, .penalty_window = 0}, prompt).Sample(std::vector<float>{2, 1}), 0);
  const std::vector<int32_t> longer = {0, 2, 2};
  EXPECT_EQ(Sampler({.repetition_penalty = 3.0f, .penalty_window = 2}, longer).Sample(std::vector<float>{2, 1, 0}), 0);
}

TEST(Sampler, PresenceAndFrequencyCountGeneratedTokensOnly) {
  const std::vector<int32_t> prompt = {0, 0, 0};
  const std::vector<float> logits = {1.0f, 0.4f};
  Sampler presence({.presence_penalty = 1.0f}, prompt);
  EXPECT_EQ(presence.Sample(logits), 0);  // the prompt does not count
  EXPECT_EQ(presence.Sample(logits), 1);
  Sampler frequency({.frequency_penalty = 0.25f}, prompt);
  EXPECT_EQ(frequency.Sample(logits), 0);
  EXPECT_EQ(frequency.Sample(logits), 0);
  EXPECT_EQ(frequency.Sample(logits), 0);
  EXPECT_EQ(frequency.Sample(logits), 1);  // 1 - 3 * 0.25 < 0.4
}

TEST(Sampler, LogitBiasMovesTokens) {
  EXPECT_EQ(Sampler({.logit_bias = {{3, 100.0f}}}, {}).Sample(kLogits), 3);
  EXPECT_EQ(Sampler({.logit_bias = {{0, -100.0f}}}, {}).Sample(kLogits), 1);
}

TEST(Sampler, BannedAndAllowedTokens) {
  EXPECT_EQ(Sampler({.banned_ids = {0, 1}}, {}).Sample(kLogits), 2);
  EXPECT_EQ(Sampler({.allowed_ids = {3}}, {}).Sample(kLogits), 3);
  const auto shares = Shares({.temperature = 1.0f, .allowed_ids = {2, 3}});
  EXPECT_NEAR(shares.at(2), 0.5, kTolerance);
  EXPECT_EQ(shares.size(), 2u);
  EXPECT_EQ(Sampler({.banned_ids = {0, 1, 2, 3}}, {}).Sample(kLogits), std::nullopt);
  EXPECT_EQ(Sampler({.temperature = 1.0f, .banned_ids = {3}, .allowed_ids = {3}}, {}).Sample(kLogits), std::nullopt);
}

TEST(Sampler, NothingIsChosenFromLogitsThatAreNoNumbers) {
  for (const float temperature : {0.0f, 1.0f}) {
    const SamplingParams params{.temperature = temperature};
    EXPECT_EQ(Sampler(params, {}).Sample(std::vector<float>{kNaN, -kInf}), std::nullopt);
    EXPECT_EQ(Sampler(params, {}).Sample(std::vector<float>{0.0f, kInf}), std::nullopt);
  }
}

TEST(Sampler, NaNAndInfinityAreNeverChosenAtRandom) {
  const auto shares = Shares({.temperature = 1.0f}, {kNaN, 0.0f, -kInf, 0.0f});
  EXPECT_NEAR(shares.at(1), 0.5, kTolerance);
  EXPECT_NEAR(shares.at(3), 0.5, kTolerance);
  EXPECT_EQ(shares.size(), 2u);
}

TEST(Logprobs, AreNormalizedAndOrdered) {
  const auto top = TopLogprobs(kLogits, 3);
  ASSERT_EQ(top.size(), 3u);
  EXPECT_EQ(top[0].id, 0);
  EXPECT_NEAR(top[0].logprob, std::log(0.5), 1e-6);
  EXPECT_EQ(top[2].id, 2);
  EXPECT_NEAR(LogSumExp(kLogits), std::log(16.0), 1e-6);
  EXPECT_NEAR(LogSumExp(std::vector<float>{1000.0f, 1000.0f}), 1000.0 + std::log(2.0), 1e-6);
  EXPECT_EQ(TopLogprobs(std::vector<float>{kNaN, 1.0f}, 5).size(), 1u);
}

TEST(CheckSamplingParams, AcceptsWhatIsInsideOnly) {
  const auto field = [](const SamplingParams& params) {
    const Status status = CheckSamplingParams(params, 10);
    return status ? std::string("ok") : status.error().where;
  };
  EXPECT_EQ(field({}), "ok");
  EXPECT_EQ(field({.temperature = 100.0f, .top_p = 0.0f, .min_p = 1.0f}), "ok");
  for (const float bad : {-0.1f, 100.1f, kNaN, kInf, -kInf}) EXPECT_EQ(field({.temperature = bad}), "temperature");
  for (const float bad : {-0.1f, 1.1f, kNaN}) EXPECT_EQ(field({.top_p = bad}), "top_p");
  for (const float bad : {-0.1f, 1.1f, kNaN}) EXPECT_EQ(field({.min_p = bad}), "min_p");
  for (const float bad : {0.0f, -1.0f, kNaN, 101.0f}) EXPECT_EQ(field({.repetition_penalty = bad}), "repeat_penalty");
  for (const float bad : {2.1f, -2.1f, kNaN}) EXPECT_EQ(field({.presence_penalty = bad}), "presence_penalty");
  EXPECT_EQ(field({.top_k = -1}), "ok");
  EXPECT_EQ(field({.top_k = -2}), "top_k");
  EXPECT_EQ(field({.penalty_window = -2}), "repeat_last_n");
  EXPECT_EQ(field({.typical_p = kNaN}), "typical_p");
  EXPECT_EQ(field({.mirostat = 3}), "mirostat");
  EXPECT_EQ(field({.adaptive_decay = 1.0f}), "adaptive_decay");
  EXPECT_EQ(field({.dry_allowed_length = 0}), "dry_allowed_length");
  EXPECT_EQ(field({.banned_ids = {10}}), "banned_token_ids");
  EXPECT_EQ(field({.allowed_ids = {-1}}), "allowed_token_ids");
  EXPECT_EQ(field({.logit_bias = {{10, 0.0f}}}), "logit_bias");
  EXPECT_EQ(field({.logit_bias = {{1, kNaN}}}), "logit_bias");
}

TEST(ParseSamplingOrder, NamesOfSteps) {
  const auto order = ParseSamplingOrder("top_k;temperature,xtc");
  ASSERT_TRUE(order);
  EXPECT_EQ(*order, (std::vector<SamplingStep>{SamplingStep::kTopK, SamplingStep::kTemperature, SamplingStep::kXtc}));
  for (const char* bad : {"", ";", "top_k;;min_p", "top_x", "top_k;top_k", "Top_k"}) {
    const auto refused = ParseSamplingOrder(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().where, "samplers");
  }
  EXPECT_EQ(ParseSamplingOrder("top_x").error().message.find("there is no step 'top_x'; they are temperature, "), 0u);
}

}  // namespace
}  // namespace rf
