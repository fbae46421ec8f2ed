#include <algorithm>
#include <numeric>

#include "engine/sampler/steps.h"

namespace rf {
namespace {

struct Place {
  size_t index;
  double rest;  ///< of the drawn number, behind what comes before
};

// Where the sum of the weights exceeds `rest`: never one of weight 0.
template <typename Weight>
Place FindPlace(std::span<const Weight> weights, double rest) {
  Place last{0, 0.0};  // stays if rounding ate the last bit
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    if (rest < weights[i]) return {i, rest};
    last = {i, weights[i]};
    rest -= weights[i];
  }
  return last;
}

}  // namespace

// First the part is found, then the place in it.
size_t Draw(const SamplingContext& context, const Candidates& candidates) {
  float buffer[kPart];
  std::vector<double> sums;
  for (size_t begin = 0; begin < candidates.size(); begin += kPart) {
    sums.push_back(candidates.SumOfPart(begin, buffer));
  }
  const double drawn = context.Uniform() * std::accumulate(sums.begin(), sums.end(), 0.0);
  const Place part = FindPlace<double>(sums, drawn);
  const size_t begin = part.index * kPart;
  return begin + FindPlace<float>(candidates.WeightsOfPart(begin, buffer), part.rest).index;
}

}  // namespace rf
