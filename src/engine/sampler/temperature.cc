#include <algorithm>
#include <cmath>

#include "engine/sampler/steps.h"

namespace rf {
namespace {

// In bits.
double Entropy(Candidates& candidates) {
  const WeightMoments moments = candidates.MeasureWeights();
  return std::log2(moments.sum) + moments.mean_distance;
}

// Entropy-based dynamic temperature (kalomaze 2023, ggml-org/llama.cpp pull request 4972): between temperature - range
// and temperature + range, by the entropy's share of the largest possible one.
double DynamicTemperature(const SamplingParams& params, Candidates& candidates) {
  const double lowest = std::max(0.0, double{params.temperature} - params.dynatemp_range);
  const double highest = double{params.temperature} + params.dynatemp_range;
  const size_t count = candidates.Count();
  if (count < 2) return params.temperature;
  const double share = Entropy(candidates) / std::log2(static_cast<double>(count));
  return lowest + (highest - lowest) * std::pow(std::max(0.0, share), double{params.dynatemp_exponent});
}

}  // namespace

void ApplyTemperature(const SamplingContext& context, Candidates& candidates) {
  const SamplingParams& params = context.params;
  candidates.ApplyTemperature(params.dynatemp_range > 0.0f ? static_cast<float>(DynamicTemperature(params, candidates))
                                                           : params.temperature);
}

}  // namespace rf
