// Passes over whole vocabularies, as plain loops that compilers turn into vector instructions: passes.cc compiles them
// once for any machine and once for wider vectors. So each is inlined into its caller, and none leaves the order of
// its roundings to the compiler: sums are of independent lanes, put together at the end, and every machine gets the
// same results.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/sampler/fast_exp2.h"
#include "engine/sampler/passes.h"

namespace rf::plain {

inline constexpr size_t kLanes = 16;

/// Two's complement with the order of the floats; negative NaN comes first.
constexpr int32_t OrderedBits(float x) {
  const auto bits = std::bit_cast<int32_t>(x);
  return bits ^ ((bits >> 31) & std::numeric_limits<int32_t>::max());
}

constexpr float FromOrderedBits(int32_t bits) {
  return std::bit_cast<float>(bits ^ ((bits >> 31) & std::numeric_limits<int32_t>::max()));
}

/// x, or what stands for a NaN or minus infinity.
constexpr float NumberOr(float x, float otherwise) {
  return x > -std::numeric_limits<float>::infinity() ? x : otherwise;
}

/// As whole numbers, whose largest may be found in any order.
[[gnu::always_inline]] inline float Largest(std::span<const float> values) {
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  int32_t largest = OrderedBits(kNone);
  for (const float value : values) largest = std::max(largest, OrderedBits(NumberOr(value, kNone)));
  return FromOrderedBits(largest);
}

[[gnu::always_inline]] inline void ComputeBlockMaxima(std::span<const float> logits, float* maxima) {
  for (size_t begin = 0; begin < logits.size(); begin += kBlock) {
    *maxima++ = Largest(logits.subspan(begin, std::min(kBlock, logits.size() - begin)));
  }
}

[[gnu::always_inline]] inline int32_t ArgMax(std::span<const float> logits) {
  float largest = -std::numeric_limits<float>::infinity();
  size_t best = 0;  // begin of its block
  for (size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const float of_block = Largest(logits.subspan(begin, std::min(kBlock, logits.size() - begin)));
    if (!(of_block > largest)) continue;
    largest = of_block;
    best = begin;
  }
  const auto found = std::find(logits.begin() + static_cast<std::ptrdiff_t>(best), logits.end(), largest);
  return found == logits.end() ? 0 : static_cast<int32_t>(found - logits.begin());
}

/// value(0) + ... + value(n - 1), n <= kPart.
template <typename Value>
[[gnu::always_inline]] inline double SumOfPart(size_t n, Value value) {
  float sums[kLanes] = {};
  const size_t n_whole = n / kLanes * kLanes;
  for (size_t i = 0; i < n_whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += value(i + lane);
  }
  for (size_t i = n_whole; i < n; ++i) sums[i - n_whole] += value(i);
  double sum = 0.0;
  for (const float lane : sums) sum += lane;
  return sum;
}

[[gnu::always_inline]] inline double Sum(std::span<const float> values) {
  double sum = 0.0;
  for (size_t begin = 0; begin < values.size(); begin += kPart) {
    sum += SumOfPart(std::min(kPart, values.size() - begin), [&](size_t i) { return values[begin + i]; });
  }
  return sum;
}

/// Weights of at most kPart logits, and their exponents.
[[gnu::always_inline]] inline void WeightsOfPart(const float* logits, size_t n, WeightScale scale, float* weights,
                                                 float* exponents) {
  float rests[kPart];
  for (size_t i = 0; i < n; ++i) {
    exponents[i] = ClampExponent(scale.ExponentOf(logits[i]));
    const SplitExp2 split = SplitExponent(exponents[i]);
    rests[i] = split.rest;
    weights[i] = split.power;
  }
  for (size_t i = 0; i < n; ++i) weights[i] = Exp2Of({rests[i], weights[i]});
}

[[gnu::always_inline]] inline void ComputeWeights(std::span<const float> logits, WeightScale scale, float* weights) {
  float exponents[kPart];
  for (size_t begin = 0; begin < logits.size(); begin += kPart) {
    const size_t n = std::min(kPart, logits.size() - begin);
    WeightsOfPart(logits.data() + begin, n, scale, weights + begin, exponents);
  }
}

[[gnu::always_inline]] inline WeightMoments MeasureWeights(std::span<const float> logits, WeightScale scale,
                                                           float* weights) {
  float exponents[kPart];
  double sum = 0.0;
  double weighted = 0.0;
  for (size_t begin = 0; begin < logits.size(); begin += kPart) {
    const size_t n = std::min(kPart, logits.size() - begin);
    float* part = weights + begin;
    WeightsOfPart(logits.data() + begin, n, scale, part, exponents);
    sum += SumOfPart(n, [&](size_t i) { return part[i]; });
    weighted -= SumOfPart(n, [&](size_t i) { return part[i] * exponents[i]; });
  }
  return {.sum = sum, .mean_distance = weighted / sum};
}

/// A rank as a whole number: see NumberOr. No rank is negative, so the order is theirs, and NaN comes last.
constexpr int32_t RankBits(float rank) {
  return std::bit_cast<int32_t>(rank);
}

[[gnu::always_inline]] inline void KeepWithin(std::span<const float> logits, Ranking ranking, float most, float* kept,
                                              float* weights) {
  for (size_t i = 0; i < logits.size(); ++i) {
    const bool is_within = RankBits(ranking.RankOf(logits[i])) <= RankBits(most);
    kept[i] = is_within ? logits[i] : -std::numeric_limits<float>::infinity();
    weights[i] = is_within ? weights[i] : 0.0f;
  }
}

[[gnu::always_inline]] inline void KeepAtLeast(std::span<const float> logits, float least, float* kept) {
  for (size_t i = 0; i < logits.size(); ++i) {
    kept[i] = OrderedBits(logits[i]) >= OrderedBits(least) ? logits[i] : -std::numeric_limits<float>::infinity();
  }
}

[[gnu::always_inline]] inline void SumByRank(std::span<const float> logits, Ranking ranking, const float* weights,
                                             float per_rank, std::span<double> sums) {
  const auto last = static_cast<float>(sums.size() - 1);  // for infinity and NaN too
  int32_t buckets[kPart];
  for (size_t begin = 0; begin < logits.size(); begin += kPart) {
    const size_t n = std::min(kPart, logits.size() - begin);
    for (size_t i = 0; i < n; ++i) {
      buckets[i] = static_cast<int32_t>(std::min(last, ranking.RankOf(logits[begin + i]) * per_rank));
    }
    for (size_t i = 0; i < n; ++i) sums[static_cast<size_t>(buckets[i])] += weights[begin + i];
  }
}

[[gnu::always_inline]] inline void FindBetween(std::span<const float> logits, Ranking ranking, float low, float high,
                                               std::vector<size_t>* found) {
  constexpr size_t kRows = 8;
  const int32_t first = RankBits(low);
  const int32_t end = RankBits(high);
  const auto is_between = [=](float logit) {
    const int32_t bits = RankBits(ranking.RankOf(logit));
    return (bits >= first) & (bits < end);
  };
  const auto visit = [&](size_t i) {
    if (is_between(logits[i])) found->push_back(i);
  };
  size_t begin = 0;
  for (; begin + kRows * kLanes <= logits.size(); begin += kRows * kLanes) {
    int32_t has_hit[kLanes] = {};  // in the lane's rows: most have none
    for (size_t i = 0; i < kRows * kLanes; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) has_hit[lane] |= is_between(logits[begin + i + lane]) ? 1 : 0;
    }
    for (size_t lane = 0; lane < kLanes; ++lane) {
      if (has_hit[lane] == 0) continue;
      for (size_t i = 0; i < kRows * kLanes; i += kLanes) visit(begin + i + lane);
    }
  }
  for (; begin < logits.size(); ++begin) visit(begin);
}

[[gnu::always_inline]] inline size_t CountNumbers(std::span<const float> logits) {
  size_t count = 0;
  for (size_t begin = 0; begin < logits.size(); begin += kPart) {
    uint32_t n = 0;
    for (const float logit : logits.subspan(begin, std::min(kPart, logits.size() - begin))) {
      n += logit > -std::numeric_limits<float>::infinity() ? 1 : 0;
    }
    count += n;
  }
  return count;
}

/// Distances from the largest, which is one of n numbers: their mean's square is below n times their variance, so the
/// difference of sums below loses no more than 6 of F64's 16 digits.
[[gnu::always_inline]] inline LogitMoments MeasureLogits(std::span<const float> logits, float largest) {
  constexpr size_t kDoubles = 8;
  double sums[kDoubles] = {};
  double squares[kDoubles] = {};
  float numbers[kPart];
  for (size_t begin = 0; begin < logits.size(); begin += kPart) {
    const size_t n = std::min(kPart, logits.size() - begin);
    for (size_t i = 0; i < n; ++i) numbers[i] = NumberOr(logits[begin + i], largest);
    std::fill(numbers + n, numbers + kPart, largest);
    for (size_t i = 0; i < kPart; i += kDoubles) {
      for (size_t lane = 0; lane < kDoubles; ++lane) {
        const double distance = double{numbers[i + lane]} - double{largest};
        sums[lane] += distance;
        squares[lane] += distance * distance;
      }
    }
  }
  const auto count = static_cast<double>(CountNumbers(logits));
  double mean = 0.0;
  double square = 0.0;
  for (size_t lane = 0; lane < kDoubles; ++lane) {
    mean += sums[lane] / count;
    square += squares[lane] / count;
  }
  return {.mean = mean + largest, .variance = std::max(0.0, square - mean * mean)};
}

}  // namespace rf::plain
