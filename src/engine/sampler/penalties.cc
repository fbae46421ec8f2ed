#include <unordered_map>
#include <unordered_set>

#include "engine/sampler/steps.h"

namespace rf {
namespace {

// Keskar et al. 2019, arXiv:1909.05858, section 4.1, with negative logits multiplied so that they sink too.
void PenalizeRepetition(const SamplingContext& context, std::span<float> logits) {
  const SamplingParams& params = context.params;
  std::span<const int32_t> recent = context.tokens;
  const auto window = static_cast<size_t>(params.penalty_window);
  if (params.penalty_window >= 0 && recent.size() > window) recent = recent.last(window);
  for (const int32_t id : std::unordered_set<int32_t>(recent.begin(), recent.end())) {
    float& logit = logits[static_cast<size_t>(id)];
    logit = logit > 0.0f ? logit / params.repetition_penalty : logit * params.repetition_penalty;
  }
}

// As the OpenAI API defines them: mu_j -= count_j * frequency + [count_j > 0] * presence, over generated tokens.
void PenalizeGenerated(const SamplingContext& context, std::span<float> logits) {
  const SamplingParams& params = context.params;
  std::unordered_map<int32_t, int> counts;
  for (const int32_t id : context.tokens.subspan(context.n_prompt)) ++counts[id];
  for (const auto& [id, count] : counts) {
    logits[static_cast<size_t>(id)] -= static_cast<float>(count) * params.frequency_penalty + params.presence_penalty;
  }
}

}  // namespace

bool UsesPenalties(const SamplingParams& params) {
  return params.repetition_penalty != 1.0f || params.frequency_penalty != 0.0f || params.presence_penalty != 0.0f;
}

void ApplyPenalties(const SamplingContext& context, std::span<float> logits) {
  PenalizeRepetition(context, logits);
  PenalizeGenerated(context, logits);
}

}  // namespace rf
