#include <algorithm>
#include <numeric>

#include "engine/sampler/steps.h"

namespace rf {
namespace {

constexpr size_t kSumPart = 1024;  // first the part is found, then the place in it

struct Place {
  size_t part;
  double rest;  ///< of the drawn number, behind the parts before
};

Place FindPart(const SamplingContext& context, std::span<const double> sums) {
  Place place{0, context.Uniform() * std::accumulate(sums.begin(), sums.end(), 0.0)};
  while (place.part + 1 < sums.size() && place.rest >= sums[place.part]) place.rest -= sums[place.part++];
  return place;
}

size_t FindIn(std::span<const float> weights, double rest) {
  size_t last_possible = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0.0f) last_possible = i;
    rest -= weights[i];
    if (rest < 0.0) return i;
  }
  return last_possible;  // rounding ate the last bit
}

}  // namespace

size_t Draw(const SamplingContext& context, const Candidates& candidates) {
  const std::vector<float> weights = Weights(candidates.items);
  std::vector<double> sums;
  for (size_t begin = 0; begin < weights.size(); begin += kSumPart) {
    sums.push_back(Sum(std::span(weights).subspan(begin, std::min(kSumPart, weights.size() - begin))));
  }
  const Place place = FindPart(context, sums);
  const size_t begin = place.part * kSumPart;
  return begin + FindIn(std::span(weights).subspan(begin, std::min(kSumPart, weights.size() - begin)), place.rest);
}

int32_t DrawFromAll(const SamplingContext& context, std::span<const float> logits, float largest, float temperature) {
  const auto part_at = [&](size_t begin) { return logits.subspan(begin, std::min(kSumPart, logits.size() - begin)); };
  std::vector<double> sums;
  for (size_t begin = 0; begin < logits.size(); begin += kSumPart) {
    sums.push_back(SumOfWeights(part_at(begin), largest, temperature));
  }
  const Place place = FindPart(context, sums);
  const std::span<const float> part = part_at(place.part * kSumPart);
  std::vector<float> weights(part.size());
  ComputeWeights(part, largest, temperature, weights);
  return static_cast<int32_t>(place.part * kSumPart + FindIn(weights, place.rest));
}

}  // namespace rf
