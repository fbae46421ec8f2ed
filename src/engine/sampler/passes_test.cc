// The passes over whole vocabularies against plain sums in double, and their vector instructions against none.
#include "engine/sampler/passes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "engine/sampler/block_maxima.h"
#include "engine/sampler/cut.h"
#include "engine/sampler/plain_passes.h"

namespace rf {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Numbers of many sizes with ties, zeros of both signs, NaN of both signs and minus infinity among them.
std::vector<float> OddLogits(size_t n) {
  std::mt19937_64 random(n);
  std::normal_distribution<float> normal(0.0f, 4.0f);
  const float odd[] = {kNan, -kNan, kMinusInfinity, 0.0f, -0.0f, 1.5f, -200.0f, 1e-40f};
  std::vector<float> logits(n);
  for (float& logit : logits) logit = random() % 8 == 0 ? odd[random() % std::size(odd)] : normal(random);
  return logits;
}

constexpr size_t kSizes[] = {1, 2, 15, 16, 17, 63, 64, 65, 1000, 1023, 1024, 1025, 5000, 151'851};

float LargestNumber(const std::vector<float>& logits) {
  float largest = kMinusInfinity;
  for (const float logit : logits) {
    if (logit > largest) largest = logit;
  }
  return largest;
}

template <typename T>
void ExpectSameBits(const T& a, const T& b, size_t n) {
  EXPECT_EQ(std::bit_cast<uint64_t>(double{a}), std::bit_cast<uint64_t>(double{b})) << n;
}

// passes.cc compiles the plain ones for the machine's vectors; here they are compiled for any machine.
TEST(SamplerPasses, VectorsGiveTheSameBits) {
  for (const size_t n : kSizes) {
    const std::vector<float> logits = OddLogits(n);
    const WeightScale scale{std::max(0.0f, LargestNumber(logits)), 1.7f};
    std::vector<float> weights(n), plain_weights(n);
    ComputeWeights(logits, scale, weights);
    plain::ComputeWeights(logits, scale, plain_weights.data());
    for (size_t i = 0; i < n; ++i) ExpectSameBits(weights[i], plain_weights[i], n);
    std::vector<float> maxima, plain_maxima((n + kBlock - 1) / kBlock);
    ComputeBlockMaxima(logits, maxima);
    plain::ComputeBlockMaxima(logits, plain_maxima.data());
    EXPECT_EQ(maxima, plain_maxima);
    EXPECT_EQ(ArgMax(logits), plain::ArgMax(logits));
    EXPECT_EQ(CountNumbers(logits), plain::CountNumbers(logits));
    ExpectSameBits(Sum(weights), plain::Sum(weights), n);
    const WeightMoments moments = MeasureWeights(logits, scale, weights);
    const WeightMoments plain_moments = plain::MeasureWeights(logits, scale, plain_weights.data());
    EXPECT_EQ(weights, plain_weights);
    ExpectSameBits(moments.sum, plain_moments.sum, n);
    ExpectSameBits(moments.mean_distance, plain_moments.mean_distance, n);
    ExpectSameBits(SumWeights(logits, scale, weights), plain::SumWeights(logits, scale, plain_weights.data()), n);
    EXPECT_EQ(weights, plain_weights);
    const Ranking ranking{scale, 2.5f};
    ExpectSameBits(SumBelow(logits, ranking, 6.0f, weights), plain::SumBelow(logits, ranking, 6.0f, weights.data()), n);
    std::vector<size_t> plain_found;
    plain::FindWithin(logits, ranking, {4.0f, 6.0f}, &plain_found);
    EXPECT_EQ(FindWithin(logits, ranking, {4.0f, 6.0f}), plain_found);
    std::vector<float> kept(n), plain_kept(n);
    KeepWithin(logits, ranking, 6.0f, weights, -1.0f, kept);
    plain::KeepWithin(logits, ranking, 6.0f, weights.data(), -1.0f, plain_kept.data());
    EXPECT_EQ(kept, plain_kept);
    const LogitMoments spread = MeasureLogits(logits, 30.0f), plain_spread = plain::MeasureLogits(logits, 30.0f);
    ExpectSameBits(spread.mean, plain_spread.mean, n);
    ExpectSameBits(spread.variance, plain_spread.variance, n);
  }
}

TEST(SamplerPasses, EqualSumsInDouble) {
  for (const size_t n : kSizes) {
    const std::vector<float> logits = OddLogits(n);
    const float largest = LargestNumber(logits);
    if (largest == kMinusInfinity) continue;
    const WeightScale scale{largest, 1.3f};
    double sum = 0.0, weighted = 0.0, mean = 0.0, variance = 0.0;
    size_t count = 0;
    for (const float logit : logits) {
      if (!std::isfinite(logit)) continue;
      const double exponent = (double{logit} - largest) * scale.factor;
      sum += std::exp2(exponent);
      weighted -= std::exp2(exponent) * exponent;
      mean += logit;
      ++count;
    }
    mean /= static_cast<double>(count);
    for (const float logit : logits) variance += std::isfinite(logit) ? std::pow(logit - mean, 2) : 0.0;
    variance /= static_cast<double>(count);
    EXPECT_EQ(CountNumbers(logits), count);
    std::vector<float> weights(n);
    const WeightMoments moments = MeasureWeights(logits, scale, weights);
    EXPECT_NEAR(Sum(weights), sum, 2e-6 * sum);
    EXPECT_NEAR(moments.sum, sum, 2e-6 * sum);
    EXPECT_NEAR(moments.mean_distance, weighted / sum, 1e-5 * weighted / sum + 1e-9);
    EXPECT_NEAR(MeasureLogits(logits, largest).mean, mean, 1e-9 * std::abs(mean) + 1e-9);
    EXPECT_NEAR(MeasureLogits(logits, largest).variance, variance, 1e-9 * variance + 1e-9);
    const auto best = std::find(logits.begin(), logits.end(), largest);  // the first one
    EXPECT_EQ(ArgMax(logits), best - logits.begin());
  }
}

// Both ends of a range, NaN, minus infinity and equal ranks on both sides of the distance.
TEST(SamplerPasses, RanksAreComparedAsNumbers) {
  for (const size_t n : kSizes) {
    const std::vector<float> logits = OddLogits(n);
    const WeightScale scale{std::max(1.5f, LargestNumber(logits)), 0.5f};
    const Ranking ranking{scale, -scale.ExponentOf(0.0f)};  // nearest to the many zeros
    const RankRange range{0.0f, std::abs(ranking.RankOf(1.5f))};
    std::vector<float> weights(n), kept(n);
    ComputeWeights(logits, scale, weights);
    KeepWithin(logits, ranking, range.high, logits, 77.0f, kept);
    std::vector<size_t> within;
    double below = 0.0;
    for (size_t i = 0; i < n; ++i) {
      const float rank = ranking.RankOf(logits[i]);
      if (rank >= range.low && rank < range.high) within.push_back(i);
      if (rank < range.high) below += weights[i];
      EXPECT_EQ(kept[i], rank <= range.high ? logits[i] : 77.0f);
    }
    EXPECT_EQ(FindWithin(logits, ranking, range), within);
    EXPECT_NEAR(SumBelow(logits, ranking, range.high, weights), below, 2e-6 * below);
  }
}

TEST(SamplerPasses, LargestOfEachBlock) {
  const std::vector<std::vector<float>> blocks = {{-3.0f, -1.0f, -2.0f}, {-1.0f, kNan, -5.0f},          {-kNan, -4.0f},
                                                  {2.0f, -7.0f, -kNan},  {kNan, -kNan, kMinusInfinity}, {-0.0f, -1.0f},
                                                  {kMinusInfinity}};
  const float expected[] = {-1.0f, -1.0f, -4.0f, 2.0f, kMinusInfinity, -0.0f, kMinusInfinity};
  std::vector<float> logits;
  for (const std::vector<float>& block : blocks) {
    logits.resize((logits.size() + kBlock - 1) / kBlock * kBlock, kMinusInfinity);
    logits.insert(logits.end(), block.begin(), block.end());
  }
  std::vector<float> maxima;
  ComputeBlockMaxima(logits, maxima);
  EXPECT_EQ(maxima, std::vector<float>(std::begin(expected), std::end(expected)));
}

TEST(SamplerPasses, NothingToChooseFrom) {
  EXPECT_EQ(ArgMax({}), 0);
  EXPECT_EQ(ArgMax(std::vector<float>(100, kNan)), 0);
  std::vector<float> logits(100, kNan);
  logits[70] = kMinusInfinity;
  EXPECT_EQ(ArgMax(logits), 70);
  BlockMaxima maxima;
  maxima.Reset(logits);
  EXPECT_EQ(maxima.Largest(), kMinusInfinity);
  maxima.ForEachAtLeast(kMinusInfinity, [](size_t i) { ADD_FAILURE() << i; });
  maxima.Reset({});
  EXPECT_EQ(maxima.Largest(), kMinusInfinity);
  std::vector<float> weights(100, 1.0f);
  EXPECT_EQ(MeasureWeights(logits, {0.0f, 1.0f}, weights).sum, 0.0);
  EXPECT_EQ(weights, std::vector<float>(100, 0.0f));
  EXPECT_EQ(CountNumbers(logits), 0u);
}

TEST(BlockMaxima, FindsWhatAFullSearchFinds) {
  for (const size_t n : kSizes) {
    const std::vector<float> logits = OddLogits(n);
    BlockMaxima maxima;
    maxima.Reset(logits);
    for (const size_t k : {1, 2, 40, 3000}) {
      const float least = maxima.ReachedBy(k);
      const auto reaches = [least](float logit) { return logit >= least && logit > kMinusInfinity; };
      std::vector<size_t> expected, found;
      for (size_t i = 0; i < n; ++i) {
        if (reaches(logits[i])) expected.push_back(i);
      }
      maxima.ForEachAtLeast(least, [&](size_t i) { found.push_back(i); });
      EXPECT_EQ(found, expected);
      EXPECT_GE(expected.size(), std::min(k, CountNumbers(logits)));
    }
  }
}

TEST(FindCut, TakesTheFewest) {
  const std::vector<float> ranks = {3.0f, 0.0f, 1.0f, 0.0f, 70.0f, 1e30f};
  const std::vector<float> weights = {0.1f, 0.4f, 0.2f, 0.25f, 0.03f, 0.02f};
  const auto cut_at = [&](double wanted) { return FindCut(ranks, {{0.0f, 1.0f}, 0.0f}, weights, wanted, 1.0).index; };
  EXPECT_EQ(cut_at(0.0), 1u);  // something is always kept
  EXPECT_EQ(cut_at(0.39), 1u);
  EXPECT_EQ(cut_at(0.41), 3u);
  EXPECT_EQ(cut_at(0.84), 2u);
  EXPECT_EQ(cut_at(0.94), 0u);
  EXPECT_EQ(cut_at(0.97), 4u);
  EXPECT_EQ(cut_at(2.0), 5u);  // all
}

// By sorting all. Sums here are of other orders, so the one before or after the cut is as good.
void ExpectCutAsSorted(const std::vector<float>& logits, Ranking ranking, double share) {
  std::vector<float> weights(logits.size());
  const double total = SumWeights(logits, ranking.scale, weights);
  std::vector<Cut> sorted;
  for (size_t i = 0; i < logits.size(); ++i) sorted.push_back({ranking.RankOf(logits[i]), i});
  std::sort(sorted.begin(), sorted.end());
  const Cut cut = FindCut(logits, ranking, weights, share * total, total);
  double until = 0.0;
  for (const Cut& entry : sorted) {
    if (entry < cut) until += weights[entry.index];
  }
  EXPECT_LT(until, share * total * (1.0 + 1e-9));
  EXPECT_GE(until + weights[cut.index], share * total * (1.0 - 1e-9));
}

TEST(FindCut, OfManyIsAsSorted) {
  constexpr size_t kMany = 151'851;
  std::mt19937_64 random(3);
  std::normal_distribution<float> normal(0.0f, 2.5f);
  std::vector<float> flat(kMany);
  for (float& logit : flat) logit = normal(random);
  std::vector<float> steep = flat;
  for (size_t i = 0; i < 300; ++i) steep[random() % kMany] = 18.0f - static_cast<float>(i) * 0.02f;
  std::vector<float> tied(kMany);
  for (float& logit : tied) logit = std::round(normal(random));
  std::vector<float> ascending = flat;
  std::sort(ascending.begin(), ascending.end());
  // Where a sample of lines is sure to be wrong: those at multiples of 256 are large.
  std::vector<float> misleading = flat;
  for (size_t i = 0; i < kMany; ++i) misleading[i] += i % 256 < 16 ? 4.0f : 0.0f;
  for (const auto& logits : {flat, steep, tied, ascending, misleading}) {
    const WeightScale scale{LargestNumber(logits), 0.7f};
    for (const float distance : {0.0f, 3.0f, 9.0f}) {
      for (const double share : {0.01, 0.5, 0.9, 0.999}) ExpectCutAsSorted(logits, {scale, distance}, share);
    }
  }
}

}  // namespace
}  // namespace rf
