#include "engine/sampler/cut.h"

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>
#include <vector>

#include "engine/sampler/passes.h"

namespace rf {
namespace {

// Where the cut falls, first to 1/128 (bits: what changes a probability by half a percent), then exactly.
constexpr size_t kBuckets = 8192;
constexpr float kPerRank = 128.0f;
constexpr float kFar = std::numeric_limits<float>::infinity();

}  // namespace

Cut FindCut(std::span<const float> logits, Ranking ranking, std::span<const float> weights, double wanted) {
  std::array<double, kBuckets> sums{};
  SumByRank(logits, ranking, weights, kPerRank, sums);
  const double least = std::max(wanted, std::numeric_limits<double>::min());  // something is always kept
  size_t last = 0;
  double sum = 0.0;
  while (last + 1 < kBuckets && sum + sums[last] < least) sum += sums[last++];

  const float begin = static_cast<float>(last) / kPerRank;
  const float end = last + 1 < kBuckets ? begin + 1.0f / kPerRank : kFar;
  std::vector<Cut> around;
  for (const size_t i : FindBetween(logits, ranking, begin, end)) around.push_back({ranking.RankOf(logits[i]), i});
  std::sort(around.begin(), around.end(),
            [](const Cut& a, const Cut& b) { return std::tie(a.rank, a.index) < std::tie(b.rank, b.index); });
  for (const Cut& cut : around) {
    sum += weights[cut.index];
    if (sum >= least) return cut;
  }
  // Another order of the sum kept it below what the buckets gave; or all weights together are less than wanted.
  return around.empty() ? Cut{kFar, logits.size()} : around.back();
}

}  // namespace rf
