// Chooses a sequence's next token from its logits.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "engine/sampler/sampling_params.h"

namespace rf {

/// A token with its logit, later its probability.
struct Candidate {
  int32_t id;
  float logit;
};

/// The sampler of one sequence. Deterministic: params, prompt and logits decide the tokens, whatever runs beside.
class Sampler {
 public:
  /// REQUIRES: CheckSamplingParams(params) succeeded. `prompt` counts for the repetition penalty.
  Sampler(const SamplingParams& params, std::span<const int32_t> prompt);

  /// The next token. `logits` [n_vocab] are those of the model; NaN counts as minus infinity. Only tokens whose bit is
  /// set in `allowed` are taken (TokenConstraint::Mask(), at least one bit); empty: all. The token counts as generated
  /// from then on.
  int32_t Sample(std::span<const float> logits, std::span<const uint64_t> allowed = {});

  /// Counts a token that was not sampled as generated.
  void Accept(int32_t id) { history_.push_back(id); }

 private:
  int32_t SampleRandomly();

  SamplingParams params_;
  std::vector<int32_t> history_;  ///< prompt and generated tokens
  size_t n_prompt_;
  std::mt19937_64 random_;
  std::vector<float> logits_;          // after bias and penalties
  std::vector<Candidate> candidates_;  // reused from call to call
};

/// The most likely token; the lowest id among equals. NaN is never chosen unless all are NaN (then 0).
int32_t ArgMax(std::span<const float> logits);

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
