// The steps against plain ones: doubles, whole vocabularies, full sorts.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "base/fast_exp2.h"
#include "engine/sampler/sampler.h"
#include "engine/sampler/steps.h"

namespace rf {
namespace {

// A token's id and probability, by id.
using Distribution = std::map<int32_t, double>;

struct PlainToken {
  int32_t id;
  double logit;
};
using PlainTokens = std::vector<PlainToken>;

bool ComesFirst(const PlainToken& a, const PlainToken& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

std::vector<double> Softmax(const PlainTokens& tokens) {
  double largest = tokens[0].logit;
  for (const PlainToken& token : tokens) largest = std::max(largest, token.logit);
  double sum = 0.0;
  std::vector<double> p;
  for (const PlainToken& token : tokens) sum += p.emplace_back(std::exp(token.logit - largest));
  for (double& x : p) x /= sum;
  return p;
}

void PlainTemperature(const SamplingParams& params, PlainTokens& tokens) {
  double temperature = params.temperature;
  if (params.dynatemp_range > 0.0f) {
    double entropy = 0.0;
    for (const double p : Softmax(tokens)) entropy -= p > 0.0 ? p * std::log(p) : 0.0;
    const double low = std::max(0.0, temperature - params.dynatemp_range);
    const double high = temperature + params.dynatemp_range;
    temperature =
        low + (high - low) * std::pow(entropy / std::log(double(tokens.size())), double{params.dynatemp_exponent});
  }
  for (PlainToken& token : tokens) token.logit /= temperature;
}

void PlainTopNSigma(const SamplingParams& params, PlainTokens& tokens) {
  if (params.top_n_sigma <= 0.0f) return;
  double mean = 0.0;
  for (const PlainToken& token : tokens) mean += token.logit;
  mean /= double(tokens.size());
  double variance = 0.0;
  for (const PlainToken& token : tokens) variance += std::pow(token.logit - mean, 2);
  const double sigma = std::sqrt(variance / double(tokens.size()));
  const double largest = std::min_element(tokens.begin(), tokens.end(), ComesFirst)->logit;
  std::erase_if(tokens, [&](const PlainToken& token) { return token.logit < largest - params.top_n_sigma * sigma; });
}

void PlainTopK(const SamplingParams& params, PlainTokens& tokens) {
  std::sort(tokens.begin(), tokens.end(), ComesFirst);
  if (params.top_k > 0 && tokens.size() > size_t(params.top_k)) tokens.resize(size_t(params.top_k));
}

// The first ones by `rank` whose probability reaches p.
void PlainPrefix(double p, const std::vector<double>& rank, PlainTokens& tokens) {
  const std::vector<double> probabilities = Softmax(tokens);
  std::vector<size_t> order(tokens.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return rank[a] < rank[b]; });
  PlainTokens kept;
  double sum = 0.0;
  for (const size_t i : order) {
    kept.push_back(tokens[i]);
    sum += probabilities[i];
    if (sum >= p) break;
  }
  tokens = kept;
}

void PlainTypicalP(const SamplingParams& params, PlainTokens& tokens) {
  if (params.typical_p >= 1.0f) return;
  const std::vector<double> p = Softmax(tokens);
  double entropy = 0.0;
  for (const double x : p) entropy -= x * std::log(x);
  std::vector<double> rank;
  for (const double x : p) rank.push_back(std::abs(-std::log(x) - entropy));
  PlainPrefix(params.typical_p, rank, tokens);
}

void PlainTopP(const SamplingParams& params, PlainTokens& tokens) {
  if (params.top_p >= 1.0f) return;
  std::vector<double> rank;
  for (const PlainToken& token : tokens) rank.push_back(-token.logit);
  PlainPrefix(params.top_p, rank, tokens);
}

void PlainMinP(const SamplingParams& params, PlainTokens& tokens) {
  const std::vector<double> p = Softmax(tokens);
  const double largest = *std::max_element(p.begin(), p.end());
  PlainTokens kept;
  for (size_t i = 0; i < p.size(); ++i) {
    if (p[i] >= params.min_p * largest) kept.push_back(tokens[i]);
  }
  tokens = kept;
}

// Only with probability 1, where no chance is involved.
void PlainXtc(const SamplingParams& params, PlainTokens& tokens) {
  if (params.xtc_probability < 1.0f) return;
  std::sort(tokens.begin(), tokens.end(), ComesFirst);
  const std::vector<double> p = Softmax(tokens);
  const auto n_likely = std::count_if(p.begin(), p.end(), [&](double x) { return x >= params.xtc_threshold; });
  if (n_likely > 1) tokens.erase(tokens.begin(), tokens.begin() + n_likely - 1);
}

Distribution Plain(const SamplingParams& params, const std::vector<float>& logits) {
  PlainTokens tokens;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (std::isfinite(logits[i])) tokens.push_back({int32_t(i), logits[i]});
  }
  for (const SamplingStep step : OrderOf(params)) {
    switch (step) {
#define RF_LOGIT_STEP(Name)
#define RF_CANDIDATE_STEP(Name, key) \
  case SamplingStep::k##Name:        \
    Plain##Name(params, tokens);     \
    break;
#include "engine/sampler/samplers.def"
#undef RF_LOGIT_STEP
#undef RF_CANDIDATE_STEP
    }
  }
  const std::vector<double> p = Softmax(tokens);
  Distribution distribution;
  for (size_t i = 0; i < p.size(); ++i) distribution[tokens[i].id] = p[i];
  return distribution;
}

Distribution Ours(const SamplingParams& params, const std::vector<float>& logits) {
  SamplingMemory memory = InitialMemory(params);
  Candidates candidates;
  candidates.Reset(logits);
  ApplyCandidateSteps({params, {}, 0, memory}, candidates);
  const std::span<const float> weights = candidates.Weights();
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  Distribution distribution;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (std::isfinite(candidates.logits()[i])) distribution[candidates.id(i)] = weights[i] / total;
  }
  return distribution;
}

std::vector<float> RandomLogits(std::mt19937_64& random, size_t n, float spread) {
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<float> logits(n);
  for (float& logit : logits) logit = normal(random);
  logits[n / 2] = std::numeric_limits<float>::quiet_NaN();
  logits[n / 3] = -std::numeric_limits<float>::infinity();
  return logits;
}

void ExpectSame(const SamplingParams& params, const std::vector<float>& logits, const std::string& what) {
  const Distribution plain = Plain(params, logits);
  const Distribution ours = Ours(params, logits);
  ASSERT_EQ(ours.size(), plain.size()) << what;
  for (const auto& [id, p] : plain) {
    ASSERT_TRUE(ours.count(id)) << what << ", token " << id;
    EXPECT_NEAR(ours.at(id), p, 1e-5 * p + 1e-12) << what << ", token " << id;
  }
}

struct Step {
  const char* name;
  SamplingParams params;
};

TEST(SamplingSteps, EachEqualsThePlainOne) {
  const std::vector<Step> steps = {
      {"none", {.temperature = 1.0f}},
      {"temperature", {.temperature = 0.7f}},
      {"dynatemp", {.temperature = 1.0f, .dynatemp_range = 0.5f, .dynatemp_exponent = 1.3f}},
      {"top_k", {.temperature = 0.8f, .top_k = 40}},
      {"top_k of all", {.temperature = 0.8f, .top_k = 1000000}},
      {"top_p", {.temperature = 0.8f, .top_p = 0.95f}},
      {"small top_p", {.temperature = 1.0f, .top_p = 0.1f}},
      {"top_p of nearly all", {.temperature = 2.0f, .top_p = 0.9999f}},
      {"top_p of one", {.temperature = 1.0f, .top_p = 0.0f}},
      {"typical_p of one", {.temperature = 1.0f, .typical_p = 0.0f}},
      {"min_p", {.temperature = 1.3f, .min_p = 0.05f}},
      {"typical_p", {.temperature = 1.0f, .typical_p = 0.6f}},
      {"top_n_sigma", {.temperature = 1.5f, .top_n_sigma = 1.5f}},
      {"xtc", {.temperature = 0.5f, .xtc_probability = 1.0f, .xtc_threshold = 0.02f}},
      {"xtc that nothing reaches", {.temperature = 3.0f, .xtc_probability = 1.0f, .xtc_threshold = 0.5f}},
      {"several", {.temperature = 0.8f, .top_k = 40, .top_p = 0.9f, .min_p = 0.05f}},
  };
  std::mt19937_64 random(1);
  for (const size_t n : {100, 5000, 150'000}) {
    for (const float spread : {1.0f, 3.0f}) {
      const std::vector<float> logits = RandomLogits(random, n, spread);
      for (const Step& step : steps) {
        ExpectSame(step.params, logits, std::string(step.name) + " of " + std::to_string(n));
      }
    }
  }
}

TEST(SamplingSteps, EqualLogitsGoByTheLowerId) {
  std::vector<float> logits(1000, 1.0f);
  ExpectSame({.temperature = 1.0f, .top_k = 3}, logits, "top_k");
  ExpectSame({.temperature = 1.0f, .top_p = 0.2501f}, logits, "top_p");
  EXPECT_EQ(Ours({.temperature = 1.0f, .top_k = 3}, logits).rbegin()->first, 2);
}

TEST(SamplingSteps, AnyTemperatureLeavesSomething) {
  std::mt19937_64 random(6);
  const std::vector<float> logits = RandomLogits(random, 2000, 3.0f);
  const auto best = static_cast<int32_t>(ArgMax(logits));
  for (const float temperature : {1e-44f, 1e-38f, 1e-6f}) {
    for (SamplingParams params : {SamplingParams{},
                                  {.typical_p = 0.5f},
                                  {.top_p = 0.5f},
                                  {.top_n_sigma = 1.0f},
                                  {.min_p = 0.1f},
                                  {.mirostat = 1},
                                  {.mirostat = 2},
                                  {.adaptive_target = 0.5f},
                                  {.dynatemp_range = 0.1f}}) {
      params.temperature = temperature;
      if (params.dynatemp_range == 0.0f && params.adaptive_target < 0.0f) {
        EXPECT_EQ(Sampler(params, {}).Sample(logits), best);
      }
      EXPECT_TRUE(Sampler(params, {}).Sample(logits));
    }
  }
}

TEST(SamplingSteps, AnyOrder) {
  std::mt19937_64 random(2);
  const SamplingParams usual;
  std::vector<SamplingStep> order(OrderOf(usual).begin(), OrderOf(usual).end());
  for (int i = 0; i < 60; ++i) {
    std::shuffle(order.begin(), order.end(), random);
    SamplingParams params{
        .temperature = 0.9f, .top_k = 300, .top_p = 0.97f, .min_p = 0.001f, .typical_p = 0.99f, .top_n_sigma = 4.0f};
    params.order.assign(order.begin(), order.begin() + std::ptrdiff_t(1 + random() % order.size()));
    const std::vector<float> logits = RandomLogits(random, 3000, 2.0f);
    ExpectSame(params, logits, "order " + std::to_string(i));
    params.temperature = 3.0f;  // most survive each step
    params.top_k = 0;
    ExpectSame(params, logits, "flat, order " + std::to_string(i));
  }
}

// Pearson's test: the statistic of 8 classes exceeds 24.3 by chance once in a thousand times (7 degrees of freedom).
TEST(Sampler, DrawsFollowTheDistribution) {
  std::mt19937_64 random(3);
  constexpr int kDraws = 50'000;
  const std::vector<SamplingParams> chains = {
      {.temperature = 1.0f}, {.temperature = 0.8f, .top_k = 8}, {.temperature = 1.5f, .top_p = 0.9f, .min_p = 0.02f}};
  for (SamplingParams params : chains) {
    const std::vector<float> logits = RandomLogits(random, 1000, 3.0f);
    const Distribution expected = Plain(params, logits);
    // Classes of about equal probability: tokens go to the emptiest one.
    constexpr size_t kClasses = 8;
    std::vector<double> shares(kClasses, 0.0);
    std::map<int32_t, size_t> class_of;
    for (const auto& [id, p] : expected) {
      const auto emptiest = size_t(std::min_element(shares.begin(), shares.end()) - shares.begin());
      class_of[id] = emptiest;
      shares[emptiest] += p;
    }
    params.seed = 7;
    std::vector<int> counts(kClasses, 0);
    Sampler sampler(params, {});
    for (int i = 0; i < kDraws; ++i) ++counts[class_of.at(*sampler.Sample(logits))];
    double statistic = 0.0;
    for (size_t c = 0; c < kClasses; ++c) {
      ASSERT_GT(shares[c], 0.001);
      statistic += std::pow(counts[c] - kDraws * shares[c], 2) / (kDraws * shares[c]);
    }
    EXPECT_LT(statistic, 24.3);
  }
}

TEST(Sampler, XtcLeavesOutTheBestAsOftenAsItShould) {
  const std::vector<float> logits = {2.0f, 1.9f, 1.8f, -9.0f};
  int n_best = 0;
  Sampler sampler({.temperature = 1e-6f, .xtc_probability = 0.25f, .xtc_threshold = 0.1f, .seed = 5}, {});
  constexpr int kDraws = 10'000;
  for (int i = 0; i < kDraws; ++i) n_best += *sampler.Sample(logits) == 0;
  // Temperature comes first and makes the best certain: nothing else reaches the threshold, so nothing is left out.
  EXPECT_EQ(n_best, kDraws);
  n_best = 0;
  Sampler before({.temperature = 1e-6f,
                  .xtc_probability = 0.25f,
                  .xtc_threshold = 0.1f,
                  .seed = 5,
                  .order = {SamplingStep::kXtc, SamplingStep::kTemperature}},
                 {});
  for (int i = 0; i < kDraws; ++i) n_best += *before.Sample(logits) == 0;
  EXPECT_NEAR(n_best / double{kDraws}, 0.75, 0.013);  // three standard deviations
}

// Mirostat's promise: the mean surprise comes close to tau.
TEST(Sampler, MirostatReachesItsSurprise) {
  std::mt19937_64 random(4);
  for (const int version : {1, 2}) {
    for (const float tau : {2.0f, 4.0f}) {
      SamplingParams params{.temperature = 1.0f, .mirostat = version, .mirostat_tau = tau, .seed = 11};
      Sampler sampler(params, {});
      double surprise = 0.0;
      constexpr int kTokens = 600;
      for (int i = 0; i < kTokens; ++i) {
        const std::vector<float> logits = RandomLogits(random, 2000, 3.0f);
        const Distribution model = Plain({.temperature = 1.0f}, logits);
        surprise -= std::log2(model.at(*sampler.Sample(logits))) / kTokens;
      }
      EXPECT_NEAR(surprise, tau, 0.75) << "version " << version;
    }
  }
}

// Adaptive-p's promise: the mean probability of the chosen tokens comes close to the target.
TEST(Sampler, AdaptivePReachesItsTarget) {
  std::mt19937_64 random(5);
  Sampler sampler({.temperature = 1.0f, .adaptive_target = 0.3f, .seed = 12}, {});
  double mean = 0.0;
  constexpr int kTokens = 600;
  for (int i = 0; i < kTokens; ++i) {
    // Tokens of all probabilities from 0.5 on down.
    std::vector<float> logits;
    for (int k = 1; k <= 12; ++k) logits.push_back(float(-k * std::log(2.0)));
    mean += std::exp2(-double(1 + *sampler.Sample(logits))) / kTokens;
  }
  EXPECT_NEAR(mean, 0.3, 0.05);
}

TEST(FastExp2, IsCloseToExp2) {
  for (float x = 0.0f; x > -126.0f; x -= 0.00131f) {
    ASSERT_NEAR(FastExp2(x) / std::exp2(double{x}), 1.0, 2e-7) << x;
  }
  EXPECT_EQ(FastExp2(0.0f), 1.0f);
  EXPECT_EQ(FastExp2(-127.0f), 0.0f);
  EXPECT_EQ(FastExp2(-std::numeric_limits<float>::infinity()), 0.0f);
  EXPECT_EQ(FastExp2(std::numeric_limits<float>::quiet_NaN()), 0.0f);
}

}  // namespace
}  // namespace rf
