// Passes over whole vocabularies, with the widest vector instructions that the machine has. The results are the same
// bits on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
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

/// The most likely token; the lowest id among equals. NaN is never chosen unless all are NaN (then 0).
int32_t ArgMax(std::span<const float> logits);

/// The largest logit of each kBlock (the last may be shorter); NaN is passed over, minus infinity if nothing is left.
void ComputeBlockMaxima(std::span<const float> logits, std::vector<float>& maxima);

/// weights[i] = the weight of logits[i], as FastExp2 computes it; 0 for NaN and minus infinity.
void ComputeWeights(std::span<const float> logits, WeightScale scale, std::span<float> weights);

double Sum(std::span<const float> values);

/// Of the weights that ComputeWeights makes.
double SumOfWeights(std::span<const float> logits, WeightScale scale);

struct WeightMoments {
  double sum;
  double mean_distance;  ///< of their exponents from 0, by the weights, in bits: the entropy without the log of `sum`
};

/// Of the same weights.
WeightMoments MeasureWeights(std::span<const float> logits, WeightScale scale);

struct LogitMoments {
  double mean;
  double variance;
};

/// Of the logits that are neither NaN nor minus infinity, in F64. `largest`: of them.
LogitMoments MeasureLogits(std::span<const float> logits, float largest);

/// How many are neither NaN nor minus infinity.
size_t CountNumbers(std::span<const float> logits);

}  // namespace rf
