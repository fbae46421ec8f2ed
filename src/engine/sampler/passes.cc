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

double SumOfParts(std::span<const float> sums) {
  double sum = 0.0;
  for (const float of_part : sums) sum += of_part;
  return sum;
}

double SumWeights(std::span<const float> logits, WeightScale scale, std::span<float> weights) {
  return WithWidestVectors<plain::SumWeights>(logits, scale, weights.data());
}

WeightMoments MeasureWeights(std::span<const float> logits, WeightScale scale, std::span<float> weights) {
  return WithWidestVectors<plain::MeasureWeights>(logits, scale, weights.data());
}

LogitMoments MeasureLogits(std::span<const float> logits, float largest) {
  return WithWidestVectors<plain::MeasureLogits>(logits, largest);
}

void KeepWithin(std::span<const float> logits, Ranking ranking, float most, std::span<const float> values,
                float instead, std::span<float> kept) {
  WithWidestVectors<plain::KeepWithin>(logits, ranking, most, values.data(), instead, kept.data());
}

void KeepAtLeast(std::span<const float> logits, float least, std::span<float> kept) {
  WithWidestVectors<plain::KeepAtLeast>(logits, least, kept.data());
}

void SumByRank(std::span<const float> logits, Ranking ranking, std::span<const float> weights, float per_rank,
               std::span<double> sums) {
  WithWidestVectors<plain::SumByRank>(logits, ranking, weights.data(), per_rank, sums);
}

double SumBelow(std::span<const float> logits, Ranking ranking, float rank, std::span<const float> weights) {
  return WithWidestVectors<plain::SumBelow>(logits, ranking, rank, weights.data());
}

std::vector<size_t> FindWithin(std::span<const float> logits, Ranking ranking, RankRange range) {
  std::vector<size_t> found;
  WithWidestVectors<plain::FindWithin>(logits, ranking, range, &found);
  return found;
}

size_t CountNumbers(std::span<const float> logits) {
  return WithWidestVectors<plain::CountNumbers>(logits);
}

}  // namespace rf
