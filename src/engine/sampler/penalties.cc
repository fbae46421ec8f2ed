#include <unordered_map>
#include <unordered_set>

#include "engine/sampler/steps.h"

namespace rf {
namespace {

// Keskar et al. 2019, arXiv:1909.05858, section 4.1, with negative logits multiplied so that they sink too.
void PenalizeRepetition(const SamplingContext& context, std::vector<LogitChange>& changes) {
  const SamplingParams& params = context.params;
  std::span<const int32_t> recent = context.tokens;
  const auto window = static_cast<size_t>(params.penalty_window);
  if (params.penalty_window >= 0 && recent.size() > window) recent = recent.last(window);
  for (const int32_t id : std::unordered_set<int32_t>(recent.begin(), recent.end())) {
    changes.push_back({id, LogitChangeKind::kPenalize, params.repetition_penalty});
  }
}

// As the OpenAI API defines them: mu_j -= count_j * frequency + [count_j > 0] * presence, over generated tokens.
void PenalizeGenerated(const SamplingContext& context, std::vector<LogitChange>& changes) {
  const SamplingParams& params = context.params;
  std::unordered_map<int32_t, int> counts;
  for (const int32_t id : context.tokens.subspan(context.n_prompt)) ++counts[id];
  for (const auto& [id, count] : counts) {
    const float penalty = static_cast<float>(count) * params.frequency_penalty + params.presence_penalty;
    changes.push_back({id, LogitChangeKind::kAdd, -penalty});
  }
}

}  // namespace

bool UsesPenalties(const SamplingParams& params) {
  return params.repetition_penalty != 1.0f || params.frequency_penalty != 0.0f || params.presence_penalty != 0.0f;
}

void ListPenalties(const SamplingContext& context, std::vector<LogitChange>& changes) {
  const SamplingParams& params = context.params;
  if (params.repetition_penalty != 1.0f) PenalizeRepetition(context, changes);
  if (params.frequency_penalty != 0.0f || params.presence_penalty != 0.0f) PenalizeGenerated(context, changes);
}

}  // namespace rf
