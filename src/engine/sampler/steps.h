// The functions that samplers.def lists, and the ways to end a chain of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "engine/sampler/candidates.h"
#include "engine/sampler/sampling_params.h"
#include "ops/logit_change.h"

namespace rf {

/// What a sequence's sampler remembers from token to token.
struct SamplingMemory {
  std::mt19937_64 random;
  double mirostat_mu;      ///< surprise in bits from which Mirostat cuts off
  double adaptive_sum;     ///< of chosen tokens' probabilities, older ones weighing less
  double adaptive_weight;  ///< of all of them
};

/// The memory before the first token.
SamplingMemory InitialMemory(const SamplingParams& params);

/// What a step may look at.
struct SamplingContext {
  const SamplingParams& params;
  std::span<const int32_t> tokens;  ///< prompt and generated ones
  size_t n_prompt;
  SamplingMemory& memory;

  /// Uniform in [0, 1) with 53 bits; std::uniform_real_distribution differs between libraries.
  double Uniform() const { return static_cast<double>(memory.random() >> 11) * 0x1p-53; }
};

#define RF_LOGIT_STEP(Name)                                                           \
  void List##Name(const SamplingContext& context, std::vector<LogitChange>& changes); \
  bool Uses##Name(const SamplingParams& params);
#define RF_CANDIDATE_STEP(Name, key) void Apply##Name(const SamplingContext& context, Candidates& candidates);
#include "engine/sampler/samplers.def"
#undef RF_LOGIT_STEP
#undef RF_CANDIDATE_STEP

/// Makes the changes one after the other. REQUIRES: their tokens are below logits.size().
void MakeChanges(std::span<const LogitChange> changes, std::span<float> logits);

/// params.order, or the usual one. REQUIRES: `params` outlives it.
std::span<const SamplingStep> OrderOf(const SamplingParams& params);

/// The step, if the parameters ask for it.
void ApplyStep(SamplingStep step, const SamplingContext& context, Candidates& candidates);

/// All candidate steps that the parameters ask for, in their order.
void ApplyCandidateSteps(const SamplingContext& context, Candidates& candidates);

/// Index of an entry, drawn by their probabilities. REQUIRES: not empty.
size_t Draw(const SamplingContext& context, const Candidates& candidates);

/// Mirostat, version params.mirostat (Basu et al. 2021, arXiv:2007.14966): as Draw, and learns from what it drew.
size_t DrawMirostat(const SamplingContext& context, Candidates& candidates);

/// As Draw, from probabilities bent towards an adapted target (docs/sampling.md, "adaptive-p"), and learns from what it
/// drew. Leaves the candidates with the weights of those.
size_t DrawAdaptive(const SamplingContext& context, Candidates& candidates);

}  // namespace rf
