// The tokens that may still be chosen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/sampler/sampling_params.h"

namespace rf {

/// A token with its logit.
struct Candidate {
  int32_t id;
  float logit;
};

/// Best first, equal ones by lower id: one order, so that the same seed gives the same tokens everywhere.
inline bool IsBetter(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

/// Every step keeps the order of the ids: a seed's token must not depend on how a step found its survivors.
struct Candidates {
  std::vector<Candidate> items;
  /// exp(logit - best logit) of all that were left out because no later step can keep them (see SelectCandidates),
  /// summed.
  double left_out = 0.0;
};

/// params.order, or the usual one. REQUIRES: `params` outlives it.
std::span<const SamplingStep> OrderOf(const SamplingParams& params);

/// exp(logit - largest logit) of each candidate, in their order, as FastExp computes it. REQUIRES: not empty.
std::vector<float> Weights(const std::vector<Candidate>& candidates);

/// The largest logit. REQUIRES: not empty.
float LargestLogit(const std::vector<Candidate>& candidates);

/// How far logits lie below the largest on average, by their weights: the entropy without the log of the sum of
/// weights. REQUIRES: `weights` are Weights(candidates).
double MeanDistance(const std::vector<Candidate>& candidates, std::span<const float> weights);

/// All tokens with a logit that is neither NaN nor minus infinity, in the order of their ids; or fewer, if the steps
/// that `params` asks for would drop the others anyway: a vocabulary is large, and what survives is not.
void SelectCandidates(std::span<const float> logits, const SamplingParams& params, Candidates& candidates);

/// Keeps the fewest candidates of smallest rank (equal ones: lower id first) whose weights reach `wanted`; at least
/// one. `ranks` >= 0. Linear: nothing is sorted but those around the cut. REQUIRES: not empty.
void KeepUntil(std::vector<Candidate>& items, std::span<const float> weights, std::span<const float> ranks,
               double wanted);

/// Keeps the k best. REQUIRES: k > 0.
void KeepBest(std::vector<Candidate>& items, size_t k);

/// Of F32 numbers, in F64 where it matters.
double Sum(std::span<const float> values);

/// weights[i] = exp((logits[i] - largest) / temperature), as FastExp computes it; 0 for NaN.
void ComputeWeights(std::span<const float> logits, float largest, float temperature, std::span<float> weights);

/// Those weights, summed.
double SumOfWeights(std::span<const float> logits, float largest, float temperature);

/// If the parameters leave every token possible, at its own probability at a fixed temperature: that temperature.
std::optional<float> OnlyTemperature(const SamplingParams& params);

}  // namespace rf
