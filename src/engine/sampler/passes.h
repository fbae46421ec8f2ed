// Passes over whole vocabularies, with the widest vector instructions that the machine has. The results are the same
// bits on every machine.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

namespace rf {

inline constexpr size_t kBlock = 64;   ///< logits under one maximum
inline constexpr size_t kPart = 1024;  ///< so many weights are summed in F32; their sums in F64

/// The weight of a logit is 2^((logit - reference) * factor). No logit lies above the reference.
struct WeightScale {
  float reference;
  float factor;

  /// The weight's exponent.
  constexpr float ExponentOf(float logit) const { return (logit - reference) * factor; }
};

/// The factor of a WeightScale at a temperature. Never infinity, which would make the best one's 0 a NaN.
constexpr float FactorOf(float temperature) {
  return std::min(std::numbers::log2e_v<float> / temperature, std::numeric_limits<float>::max());
}

/// Logits by how far the exponents of their weights lie from -distance.
struct Ranking {
  WeightScale scale;
  float distance;

  /// In bits; infinity for minus infinity, NaN for NaN.
  constexpr float RankOf(float logit) const {
    return std::bit_cast<float>(std::bit_cast<uint32_t>(scale.ExponentOf(logit) + distance) & 0x7fffffffu);
  }
};

/// The most likely token; the lowest id among equals. NaN is never chosen unless all are NaN (then 0).
int32_t ArgMax(std::span<const float> logits);

/// The largest logit of each kBlock (the last may be shorter); NaN is passed over, minus infinity if nothing is left.
void ComputeBlockMaxima(std::span<const float> logits, std::vector<float>& maxima);

/// weights[i] = the weight of logits[i], as FastExp2 computes it; 0 for NaN and minus infinity.
void ComputeWeights(std::span<const float> logits, WeightScale scale, std::span<float> weights);

double Sum(std::span<const float> values);

/// The sum of sums of parts, each rounded to F32.
double SumOfParts(std::span<const float> sums);

/// ComputeWeights, and their sum: that of each kPart rounded to F32, which is what a device gives (ops/best_logits.h).
double SumWeights(std::span<const float> logits, WeightScale scale, std::span<float> weights);

struct WeightMoments {
  double sum;
  double mean_distance;  ///< of their exponents from 0, by the weights, in bits: the entropy without the log of `sum`
};

/// The same, and what the weights are together.
WeightMoments MeasureWeights(std::span<const float> logits, WeightScale scale, std::span<float> weights);

struct LogitMoments {
  double mean;
  double variance;
};

/// Of the logits that are neither NaN nor minus infinity, in F64. `largest`: of them.
LogitMoments MeasureLogits(std::span<const float> logits, float largest);

/// kept[i] = values[i] if the rank of logits[i] is at most `most`, otherwise `instead`.
void KeepWithin(std::span<const float> logits, Ranking ranking, float most, std::span<const float> values,
                float instead, std::span<float> kept);

/// kept[i] = logits[i] if it is at least `least`, otherwise minus infinity.
void KeepAtLeast(std::span<const float> logits, float least, std::span<float> kept);

/// sums[bucket] += weights[i], in their order; bucket: the rank times per_rank without its fraction, at most the last.
void SumByRank(std::span<const float> logits, Ranking ranking, std::span<const float> weights, float per_rank,
               std::span<double> sums);

/// Ranks from `low` on and below `high`.
struct RankRange {
  float low;
  float high;
};

/// The sum of weights of ranks below `rank`.
double SumBelow(std::span<const float> logits, Ranking ranking, float rank, std::span<const float> weights);

/// The indices of those with ranks in the range, in their order.
std::vector<size_t> FindWithin(std::span<const float> logits, Ranking ranking, RankRange range);

/// How many are neither NaN nor minus infinity.
size_t CountNumbers(std::span<const float> logits);

}  // namespace rf
