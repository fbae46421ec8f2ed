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

#include "base/fast_exp2.h"
#include "engine/sampler/passes.h"

namespace rf::plain {

inline constexpr size_t kLanes = 16;

/// Two's complement with the order of the floats; negative NaN comes first.
constexpr int32_t OrderedBits(float x) {
  const auto bits = std::bit_cast<int32_t>(x);
  return bits ^ ((bits >> 31) & std::numeric_limits<int32_t>::max());
}

/// x, or what stands for a NaN or minus infinity.
constexpr float NumberOr(float x, float otherwise) {
  return x > -std::numeric_limits<float>::infinity() ? x : otherwise;
}

/// Minus infinity if there is none but NaN.
inline float LargestNumber(std::span<const float> values) {
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  float largest = kNone;
  for (const float value : values) largest = std::max(largest, NumberOr(value, kNone));
  return largest;
}

/// As whole numbers, whose largest may be found in any order. Those of negative floats have the opposite order, but as
/// unsigned numbers the one nearest to 0 is the smallest of all if there is no other.
[[gnu::always_inline]] inline float Largest(std::span<const float> values) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  int32_t largest = std::numeric_limits<int32_t>::min();
  auto smallest = std::numeric_limits<uint32_t>::max();
  for (const float value : values) {
    largest = std::max(largest, std::bit_cast<int32_t>(value));
    smallest = std::min(smallest, std::bit_cast<uint32_t>(value));
  }
  if (largest > std::bit_cast<int32_t>(kInfinity)) return LargestNumber(values);  // NaN
  return largest >= 0 ? std::bit_cast<float>(largest) : NumberOr(std::bit_cast<float>(smallest), -kInfinity);
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

[[gnu::always_inline]] inline double SumWeights(std::span<const float> logits, WeightScale scale, float* weights) {
  float exponents[kPart];
  double sum = 0.0;
  for (size_t begin = 0; begin < logits.size(); begin += kPart) {
    const size_t n = std::min(kPart, logits.size() - begin);
    float* part = weights + begin;
    WeightsOfPart(logits.data() + begin, n, scale, part, exponents);
    sum += static_cast<float>(SumOfPart(n, [&](size_t i) { return part[i]; }));
  }
  return sum;
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

[[gnu::always_inline]] inline void KeepWithin(std::span<const float> logits, Ranking ranking, float most,
                                              const float* values, float instead, float* kept) {
  for (size_t i = 0; i < logits.size(); ++i) {
    kept[i] = RankBits(ranking.RankOf(logits[i])) <= RankBits(most) ? values[i] : instead;
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

[[gnu::always_inline]] inline double SumBelow(std::span<const float> logits, Ranking ranking, float rank,
                                              const float* weights) {
  const auto weight_if_below = [&](size_t i) {
    return RankBits(ranking.RankOf(logits[i])) < RankBits(rank) ? weights[i] : 0.0f;
  };
  double sum = 0.0;
  for (size_t begin = 0; begin < logits.size(); begin += kPart) {
    sum += SumOfPart(std::min(kPart, logits.size() - begin), [&](size_t i) { return weight_if_below(begin + i); });
  }
  return sum;
}

[[gnu::always_inline]] inline void FindWithin(std::span<const float> logits, Ranking ranking, RankRange range,
                                              std::vector<size_t>* found) {
  constexpr size_t kBits = 32;
  const int32_t low = RankBits(range.low);
  const int32_t high = RankBits(range.high);
  const auto bit_of = [&](size_t i) {
    const int32_t rank = RankBits(ranking.RankOf(logits[i]));
    return static_cast<uint32_t>(rank < high) - static_cast<uint32_t>(rank < low);
  };
  const auto append = [&](size_t begin, uint32_t bits) {
    for (; bits != 0; bits &= bits - 1) found->push_back(begin + static_cast<size_t>(std::countr_zero(bits)));
  };
  size_t begin = 0;
  for (; begin + kBits <= logits.size(); begin += kBits) {
    uint32_t bits = 0;
    for (size_t i = 0; i < kBits; ++i) bits |= bit_of(begin + i) << i;
    append(begin, bits);
  }
  for (; begin < logits.size(); ++begin) append(begin, bit_of(begin));
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
