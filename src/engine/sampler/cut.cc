#include "engine/sampler/cut.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include "engine/sampler/passes.h"

namespace rf {
namespace {

constexpr float kFar = std::numeric_limits<float>::infinity();

// What has a cut.
struct Ranked {
  std::span<const float> logits;
  Ranking ranking;
  std::span<const float> weights;
};

// Ranks in which a cut lies, and the sum of weights of those below.
struct CutRange {
  RankRange ranks;
  double below;
};

// Buckets of ranks. All: to 1/128 (bits: what changes a probability by half a percent). A sample's are fewer.
struct Buckets {
  size_t count;
  float per_rank;

  float BeginOf(size_t bucket) const { return bucket < count ? static_cast<float>(bucket) / per_rank : kFar; }
};
constexpr Buckets kAll = {8192, 128.0f};
constexpr Buckets kOfSample = {2048, 64.0f};

CutRange FindRange(const Ranked& ranked, double least) {
  std::array<double, kAll.count> sums{};
  SumByRank(ranked.logits, ranked.ranking, ranked.weights, kAll.per_rank, sums);
  size_t last = 0;
  double sum = 0.0;
  while (last + 1 < kAll.count && sum + sums[last] < least) sum += sums[last++];
  return {{kAll.BeginOf(last), kAll.BeginOf(last + 1)}, sum};
}

// Every kSampleStep-th line of kSampleLine entries.
constexpr size_t kSampleLine = 16;
constexpr size_t kSampleStep = 16;

std::vector<float> SampleOf(std::span<const float> values) {
  std::vector<float> sample;
  sample.reserve(values.size() / kSampleStep + kSampleLine);
  for (size_t begin = 0; begin < values.size(); begin += kSampleLine * kSampleStep) {
    const auto line = values.subspan(begin, std::min(kSampleLine, values.size() - begin));
    sample.insert(sample.end(), line.begin(), line.end());
  }
  return sample;
}

// Ranks in which a cut most likely lies, and where in them.
struct Guess {
  float low;
  float middle;
  float high;
};

// By a sample: what is not kept weighs `rest` together. That is a sum of many small weights, so its estimate is good; a
// few large ones would spoil that of what is kept.
Guess GuessCut(const Ranked& ranked, double rest) {
  constexpr double kDeviations = 4.0;
  const std::vector<float> logits = SampleOf(ranked.logits);
  std::vector<float> weights = SampleOf(ranked.weights);
  const double ratio = static_cast<double>(ranked.logits.size()) / static_cast<double>(logits.size());
  std::array<double, kOfSample.count> rests{};
  SumByRank(logits, ranked.ranking, weights, kOfSample.per_rank, rests);
  for (size_t bucket = rests.size() - 1; bucket > 0; --bucket) rests[bucket - 1] += rests[bucket];
  const auto bucket_of = [&](double least) {
    const auto found = std::partition_point(rests.begin(), rests.end(), [=](double of) { return of > least; });
    return static_cast<size_t>(found - rests.begin());
  };
  const size_t middle = bucket_of(rest / ratio);
  for (float& weight : weights) weight *= weight;
  std::array<double, kOfSample.count> squares{};
  SumByRank(logits, ranked.ranking, weights, kOfSample.per_rank, squares);
  const auto of_rest = std::span(squares).subspan(middle);
  const double margin = kDeviations * std::sqrt(std::accumulate(of_rest.begin(), of_rest.end(), 0.0));
  const size_t first = bucket_of(rest / ratio + margin);
  return {kOfSample.BeginOf(first > 0 ? first - 1 : 0), kOfSample.BeginOf(middle),
          kOfSample.BeginOf(bucket_of(rest / ratio - margin))};
}

// The cut, if it is one of `within`: all those of the range.
std::optional<Cut> FindCutWithin(const Ranked& ranked, const CutRange& range, std::span<const size_t> within,
                                 double least) {
  if (range.below >= least) return std::nullopt;
  constexpr size_t kFine = 1024;
  const auto [low, high] = range.ranks;
  const float per_rank = high < kFar ? static_cast<float>(kFine) / (high - low) : kAll.per_rank;
  const auto bucket_of = [low = low, per_rank](float rank) {
    return static_cast<size_t>(std::min(static_cast<float>(kFine - 1), (rank - low) * per_rank));
  };
  std::vector<Cut> around;
  around.reserve(within.size());
  std::array<double, kFine> sums{};
  for (const size_t i : within) {
    around.push_back({ranked.ranking.RankOf(ranked.logits[i]), i});
    sums[bucket_of(around.back().rank)] += ranked.weights[i];
  }
  size_t last = 0;
  double sum = range.below;
  while (last + 1 < kFine && sum + sums[last] < least) sum += sums[last++];
  std::erase_if(around, [=](const Cut& cut) { return bucket_of(cut.rank) != last; });
  std::sort(around.begin(), around.end());
  for (const Cut& cut : around) {
    sum += ranked.weights[cut.index];
    if (sum >= least) return cut;
  }
  return std::nullopt;
}

// By a guess and two passes over everything, the second of which finds what lies between guess and cut; nothing if the
// guess was not near enough.
std::optional<Cut> FindCutByGuess(const Ranked& ranked, double least, double total) {
  const Guess guess = GuessCut(ranked, total - least);
  double below = SumBelow(ranked.logits, ranked.ranking, guess.middle, ranked.weights);
  const bool is_above = below < least;
  const RankRange ranks = is_above ? RankRange{guess.middle, guess.high} : RankRange{guess.low, guess.middle};
  const std::vector<size_t> within = FindWithin(ranked.logits, ranked.ranking, ranks);
  if (!is_above) {
    for (const size_t i : within) below -= ranked.weights[i];
  }
  return FindCutWithin(ranked, {ranks, below}, within, least);
}

// Of fewer it is not worth a sample.
constexpr size_t kMany = 32'768;

}  // namespace

Cut FindCut(std::span<const float> logits, Ranking ranking, std::span<const float> weights, double wanted,
            double total) {
  const Ranked ranked{logits, ranking, weights};
  const double least = std::max(wanted, std::numeric_limits<double>::min());  // something is always kept
  if (logits.size() >= kMany) {
    if (const auto cut = FindCutByGuess(ranked, least, total)) return *cut;
  }
  const CutRange range = FindRange(ranked, least);
  const std::vector<size_t> within = FindWithin(logits, ranking, range.ranks);
  if (const auto cut = FindCutWithin(ranked, range, within, least)) return *cut;
  // Another order of the sum kept it below what the buckets gave; or all weights together are less than wanted.
  Cut last{range.ranks.low, 0};
  for (const size_t i : within) last = std::max(last, Cut{ranking.RankOf(logits[i]), i});
  return last;
}

}  // namespace rf
