#include "engine/sampler/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/sampler/steps.h"

namespace rf {
namespace {

// Uniform in [0, 1) with 53 bits; std::uniform_real_distribution differs between libraries.
double Uniform(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1p-53;
}

}  // namespace

std::vector<double> Weights(const std::vector<Candidate>& candidates) {
  float largest = candidates[0].logit;
  for (const Candidate& candidate : candidates) largest = std::max(largest, candidate.logit);
  std::vector<double> weights;
  weights.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    weights.push_back(std::exp(static_cast<double>(candidate.logit) - largest));
  }
  return weights;
}

Sampler::Sampler(const SamplingParams& params, std::span<const int32_t> prompt)
    : params_(params), history_(prompt.begin(), prompt.end()), n_prompt_(prompt.size()), random_(params.seed) {}

int32_t Sampler::Sample(std::span<const float> logits) {
  logits_.assign(logits.begin(), logits.end());
  const History history{history_, n_prompt_};
#define RF_LOGIT_STEP(Name) Apply##Name(params_, history, logits_);
#define RF_CANDIDATE_STEP(Name)
#include "engine/sampler/samplers.def"
#undef RF_LOGIT_STEP
#undef RF_CANDIDATE_STEP
  const int32_t id = params_.is_greedy() ? ArgMax(logits_) : SampleRandomly();
  history_.push_back(id);
  return id;
}

int32_t Sampler::SampleRandomly() {
  candidates_.clear();
  for (size_t i = 0; i < logits_.size(); ++i) {
    if (std::isfinite(logits_[i])) candidates_.push_back({static_cast<int32_t>(i), logits_[i]});
  }
  if (candidates_.empty()) return ArgMax(logits_);
#define RF_LOGIT_STEP(Name)
#define RF_CANDIDATE_STEP(Name) Apply##Name(params_, candidates_);
#include "engine/sampler/samplers.def"
#undef RF_LOGIT_STEP
#undef RF_CANDIDATE_STEP
  const std::vector<double> weights = Weights(candidates_);
  double target = Uniform(random_) * std::accumulate(weights.begin(), weights.end(), 0.0);
  for (size_t i = 0; i < weights.size(); ++i) {
    target -= weights[i];
    if (target < 0.0) return candidates_[i].id;
  }
  return candidates_.back().id;  // rounding ate the last bit
}

}  // namespace rf
