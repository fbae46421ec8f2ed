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

[[gnu::always_inline]] inline double SumOfWeights(std::span<const float> logits, WeightScale scale) {
  float weights[kPart];
  float exponents[kPart];
  double sum = 0.0;
  for (size_t begin = 0; begin < logits.size(); begin += kPart) {
    const size_t n = std::min(kPart, logits.size() - begin);
    WeightsOfPart(logits.data() + begin, n, scale, weights, exponents);
    sum += SumOfPart(n, [&](size_t i) { return weights[i]; });
  }
  return sum;
}

[[gnu::always_inline]] inline WeightMoments MeasureWeights(std::span<const float> logits, WeightScale scale) {
  float weights[kPart];
  float exponents[kPart];
  double sum = 0.0;
  double weighted = 0.0;
  for (size_t begin = 0; begin < logits.size(); begin += kPart) {
    const size_t n = std::min(kPart, logits.size() - begin);
    WeightsOfPart(logits.data() + begin, n, scale, weights, exponents);
    sum += SumOfPart(n, [&](size_t i) { return weights[i]; });
    weighted -= SumOfPart(n, [&](size_t i) { return weights[i] * exponents[i]; });
  }
  return {.sum = sum, .mean_distance = weighted / sum};
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
