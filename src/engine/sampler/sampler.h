// Chooses a sequence's next token from its logits.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/sampler/candidates.h"
#include "engine/sampler/sampling_params.h"
#include "engine/sampler/steps.h"

namespace rf {

/// The sampler of one sequence. Deterministic: params, prompt and logits decide the tokens, whatever runs beside.
class Sampler {
 public:
  /// REQUIRES: CheckSamplingParams(params) succeeded. `prompt` counts for the repetition penalties.
  Sampler(const SamplingParams& params, std::span<const int32_t> prompt);

  /// The next token, which counts as generated from then on; nothing if no token is left, because the best logit is not
  /// finite. `logits` [n_vocab] are those of the model; NaN counts as minus infinity. Only tokens whose bit is set in
  /// `allowed` are taken (TokenConstraint::Mask()); empty: all.
  std::optional<int32_t> Sample(std::span<const float> logits, std::span<const uint64_t> allowed = {});

  /// Counts a token that was not sampled as generated.
  void Accept(int32_t id) { history_.push_back(id); }

 private:
  static std::optional<int32_t> SampleBest(std::span<const float> logits);
  std::optional<int32_t> SampleRandomly(std::span<const float> logits);
  /// The model's logits, or a changed copy where a step of samplers.def changes them.
  std::span<const float> ApplyLogitSteps(std::span<const float> logits, std::span<const uint64_t> allowed);
  SamplingContext Context() { return {params_, history_, n_prompt_, memory_}; }

  SamplingParams params_;
  std::vector<int32_t> history_;  ///< prompt and generated tokens
  size_t n_prompt_;
  SamplingMemory memory_;
  bool has_logit_steps_;
  std::vector<float> logits_;  // these two only to keep their memory from call to call
  Candidates candidates_;
};

/// A token's natural log-probability.
struct TokenLogprob {
  int32_t id;
  float logprob;
};

/// Log of the sum of exponentials over all finite logits, in double.
double LogSumExp(std::span<const float> logits);

/// The k most likely tokens with natural log-probabilities, best first, equal values by lower id.
std::vector<TokenLogprob> TopLogprobs(std::span<const float> logits, int32_t k);

}  // namespace rf
