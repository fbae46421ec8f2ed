#include <cmath>

#include "engine/sampler/steps.h"

namespace rf {
namespace {

double Entropy(const std::vector<Candidate>& candidates) {
  const std::vector<float> weights = Weights(candidates);
  return std::log(Sum(weights)) + MeanDistance(candidates, weights);
}

// Entropy-based dynamic temperature (kalomaze 2023, ggml-org/llama.cpp pull request 4972): between temperature - range
// and temperature + range, by the entropy's share of the largest possible one.
double DynamicTemperature(const SamplingParams& params, const std::vector<Candidate>& candidates) {
  const double lowest = std::max(0.0, double{params.temperature} - params.dynatemp_range);
  const double highest = double{params.temperature} + params.dynatemp_range;
  if (candidates.size() < 2) return params.temperature;
  const double share = Entropy(candidates) / std::log(static_cast<double>(candidates.size()));
  return lowest + (highest - lowest) * std::pow(std::max(0.0, share), double{params.dynatemp_exponent});
}

}  // namespace

void ApplyTemperature(const SamplingContext& context, Candidates& candidates) {
  const SamplingParams& params = context.params;
  const float temperature = params.dynatemp_range > 0.0f
                                ? static_cast<float>(DynamicTemperature(params, candidates.items))
                                : params.temperature;
  // Differences from the best one: a tiny temperature sends them to minus infinity, never to infinity.
  const float best = LargestLogit(candidates.items);
  for (Candidate& candidate : candidates.items) {
    const float difference = candidate.logit - best;
    candidate.logit = difference == 0.0f ? 0.0f : difference / temperature;
  }
}

}  // namespace rf
