#include "engine/sampler/cut.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <tuple>
#include <vector>

namespace rf {
namespace {

// Where the cut falls, first to 1/32 (bits: what changes a probability by 2 %), then exactly.
constexpr size_t kBuckets = 2048;
constexpr float kPerRank = 32.0f;

// Calls use(index, bucket) for each rank. Buckets are computed apart, by vector instructions.
template <typename Use>
void ForEachBucket(std::span<const float> ranks, Use use) {
  constexpr float kLast = kBuckets - 1;  // for infinity (and NaN) too
  std::array<int32_t, 1024> buckets;
  for (size_t begin = 0; begin < ranks.size(); begin += buckets.size()) {
    const std::span<const float> part = ranks.subspan(begin, std::min(buckets.size(), ranks.size() - begin));
    for (size_t i = 0; i < part.size(); ++i) buckets[i] = static_cast<int32_t>(std::min(kLast, part[i] * kPerRank));
    for (size_t i = 0; i < part.size(); ++i) use(begin + i, static_cast<size_t>(buckets[i]));
  }
}

}  // namespace

Cut FindCut(std::span<const float> ranks, std::span<const float> weights, double wanted) {
  std::array<double, kBuckets> sums{};
  ForEachBucket(ranks, [&](size_t i, size_t bucket) { sums[bucket] += weights[i]; });
  const double least = std::max(wanted, std::numeric_limits<double>::min());  // something is always kept
  size_t last = 0;
  double sum = 0.0;
  while (last + 1 < kBuckets && sum + sums[last] < least) sum += sums[last++];

  std::vector<Cut> around;
  ForEachBucket(ranks, [&](size_t i, size_t bucket) {
    if (bucket == last) around.push_back({ranks[i], i});
  });
  std::sort(around.begin(), around.end(),
            [](const Cut& a, const Cut& b) { return std::tie(a.rank, a.index) < std::tie(b.rank, b.index); });
  for (const Cut& cut : around) {
    sum += weights[cut.index];
    if (sum >= least) return cut;
  }
  // Another order of the sum kept it below what the buckets gave; or all weights together are less than wanted.
  return around.empty() ? Cut{std::numeric_limits<float>::infinity(), ranks.size()} : around.back();
}

}  // namespace rf
