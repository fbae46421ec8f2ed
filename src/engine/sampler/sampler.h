// Chooses a sequence's next token from its logits.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/sampler/best_of_row.h"
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

  /// As Sample(), from logits to which the changes that ListChanges() lists have been made already.
  std::optional<int32_t> SampleChanged(std::span<const float> logits);

  /// As SampleChanged(), the same token, from the best of those logits alone. Nothing, and nothing has changed, if they
  /// do not decide it. REQUIRES: MayChooseFromBest(); sums with the factor SumFactor() unless that is 0.
  std::optional<int32_t> SampleFromBest(const BestOfRow& best);

  /// Whether the n_best best logits may decide the next token. If not, only the whole row does.
  bool MayChooseFromBest(size_t n_best) const;

  /// For which weights SampleFromBest() needs sums (ops/best_logits.h); 0: for none.
  float SumFactor() const { return rf::SumFactor(params_); }

  /// Appends how the next token's logits are to be changed (allowed tokens apart), in the order in which Sample() does.
  void ListChanges(std::vector<LogitChange>& changes);

  /// Counts a token that was not sampled as generated.
  void Accept(int32_t id) { history_.push_back(id); }

 private:
  static std::optional<int32_t> SampleBest(std::span<const float> logits);
  std::optional<int32_t> SampleRandomly(std::span<const float> logits);
  /// The model's logits, or a changed copy where a step of samplers.def changes them.
  std::span<const float> ApplyLogitSteps(std::span<const float> logits, std::span<const uint64_t> allowed);
  /// Counts a sampled token, if there is one.
  std::optional<int32_t> Taken(std::optional<int32_t> id);
  SamplingContext Context() { return {params_, history_, n_prompt_, memory_}; }

  SamplingParams params_;
  std::vector<int32_t> history_;  ///< prompt and generated tokens
  size_t n_prompt_;
  SamplingMemory memory_;
  bool has_logit_steps_;
  std::vector<LogitChange> changes_;  // these three only to keep their memory from call to call
  std::vector<float> logits_;
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
