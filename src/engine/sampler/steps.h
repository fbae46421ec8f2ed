// The functions that samplers.def lists.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sampler/sampler.h"

namespace rf {

/// A sequence's tokens so far.
struct History {
  std::span<const int32_t> tokens;  ///< prompt and generated ones
  size_t n_prompt;
};

#define RF_LOGIT_STEP(Name) \
  void Apply##Name(const SamplingParams& params, const History& history, std::span<float> logits);
#define RF_CANDIDATE_STEP(Name) void Apply##Name(const SamplingParams& params, std::vector<Candidate>& candidates);
#include "engine/sampler/samplers.def"
#undef RF_LOGIT_STEP
#undef RF_CANDIDATE_STEP

/// Best first, equal ones by lower id: one order, so that the same seed gives the same tokens everywhere.
inline bool IsBetter(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

/// exp(logit - largest) of each candidate, in their order. REQUIRES: not empty.
std::vector<double> Weights(const std::vector<Candidate>& candidates);

}  // namespace rf
