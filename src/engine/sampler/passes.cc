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

WeightMoments MeasureWeights(std::span<const float> logits, WeightScale scale, std::span<float> weights) {
  return WithWidestVectors<plain::MeasureWeights>(logits, scale, weights.data());
}

LogitMoments MeasureLogits(std::span<const float> logits, float largest) {
  return WithWidestVectors<plain::MeasureLogits>(logits, largest);
}

void KeepWithin(std::span<const float> logits, Ranking ranking, float most, std::span<float> kept,
                std::span<float> weights) {
  WithWidestVectors<plain::KeepWithin>(logits, ranking, most, kept.data(), weights.data());
}

void KeepAtLeast(std::span<const float> logits, float least, std::span<float> kept) {
  WithWidestVectors<plain::KeepAtLeast>(logits, least, kept.data());
}

void SumByRank(std::span<const float> logits, Ranking ranking, std::span<const float> weights, float per_rank,
               std::span<double> sums) {
  WithWidestVectors<plain::SumByRank>(logits, ranking, weights.data(), per_rank, sums);
}

std::vector<size_t> FindBetween(std::span<const float> logits, Ranking ranking, float low, float high) {
  std::vector<size_t> found;
  WithWidestVectors<plain::FindBetween>(logits, ranking, low, high, &found);
  return found;
}

size_t CountNumbers(std::span<const float> logits) {
  return WithWidestVectors<plain::CountNumbers>(logits);
}

}  // namespace rf
