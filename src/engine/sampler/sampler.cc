#include "engine/sampler/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/sampler/steps.h"

namespace rf {
namespace {

// Uniform in [0, 1) with 53 bits; std::uniform_real_distribution differs between libraries.
double Uniform(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1p-53;
}

bool IsAllowed(std::span<const uint64_t> allowed, size_t id) {
  return id / 64 < allowed.size() && (allowed[id / 64] >> (id % 64) & 1) != 0;
}

int32_t FirstAllowed(std::span<const uint64_t> allowed) {
  size_t word = 0;
  while (word + 1 < allowed.size() && allowed[word] == 0) ++word;
  return static_cast<int32_t>(word * 64) + std::countr_zero(allowed[word]);
}

void KeepAllowed(std::span<const uint64_t> allowed, std::span<float> logits) {
  for (size_t begin = 0; begin < logits.size(); begin += 64) {
    const uint64_t word = begin / 64 < allowed.size() ? allowed[begin / 64] : 0;
    if (word == ~uint64_t{0}) continue;
    const size_t n = std::min<size_t>(64, logits.size() - begin);
    for (size_t i = 0; i < n; ++i) {
      if ((word >> i & 1) == 0) logits[begin + i] = -std::numeric_limits<float>::infinity();
    }
  }
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

int32_t Sampler::Sample(std::span<const float> logits, std::span<const uint64_t> allowed) {
  logits_.assign(logits.begin(), logits.end());
  if (!allowed.empty()) KeepAllowed(allowed, logits_);
  const History history{history_, n_prompt_};
#define RF_LOGIT_STEP(Name) Apply##Name(params_, history, logits_);
#define RF_CANDIDATE_STEP(Name)
#include "engine/sampler/samplers.def"
#undef RF_LOGIT_STEP
#undef RF_CANDIDATE_STEP
  int32_t id = params_.is_greedy() ? ArgMax(logits_) : SampleRandomly();
  // Where no allowed token has a finite logit, any of them is as good.
  if (!allowed.empty() && !IsAllowed(allowed, static_cast<size_t>(id))) id = FirstAllowed(allowed);
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
