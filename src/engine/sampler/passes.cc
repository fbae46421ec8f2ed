#include "engine/sampler/passes.h"

#include "engine/sampler/plain_passes.h"
#include "engine/sampler/widest.h"

namespace rf {

int32_t ArgMax(std::span<const float> logits) {
  return WithWidestVectors<plain::ArgMax>(logits);
}

void ComputeBlockMaxima(std::span<const float> logits, std::vector<float>& maxima) {
  maxima.resize((logits.size() + kBlock - 1) / kBlock);
  WithWidestVectors<plain::ComputeBlockMaxima>(logits, maxima.data());
}

void ComputeWeights(std::span<const float> logits, WeightScale scale, std::span<float> weights) {
  WithWidestVectors<plain::ComputeWeights>(logits, scale, weights.data());
}

double Sum(std::span<const float> values) {
  return WithWidestVectors<plain::Sum>(values);
}

double SumOfWeights(std::span<const float> logits, WeightScale scale) {
  return WithWidestVectors<plain::SumOfWeights>(logits, scale);
}

WeightMoments MeasureWeights(std::span<const float> logits, WeightScale scale) {
  return WithWidestVectors<plain::MeasureWeights>(logits, scale);
}

LogitMoments MeasureLogits(std::span<const float> logits, float largest) {
  return WithWidestVectors<plain::MeasureLogits>(logits, largest);
}

size_t CountNumbers(std::span<const float> logits) {
  return WithWidestVectors<plain::CountNumbers>(logits);
}

}  // namespace rf
