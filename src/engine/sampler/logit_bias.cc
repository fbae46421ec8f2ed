#include <limits>

#include "engine/sampler/steps.h"

namespace rf {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

void KeepOnly(const std::vector<int32_t>& ids, std::span<float> logits) {
  std::vector<std::pair<size_t, float>> kept;
  kept.reserve(ids.size());
  for (const int32_t id : ids) kept.emplace_back(id, logits[static_cast<size_t>(id)]);
  for (float& logit : logits) logit = kNever;
  for (const auto& [id, logit] : kept) logits[id] = logit;
}

}  // namespace

bool UsesLogitBias(const SamplingParams& params) {
  return !params.logit_bias.empty() || !params.banned_ids.empty() || !params.allowed_ids.empty();
}

void ApplyLogitBias(const SamplingContext& context, std::span<float> logits) {
  const SamplingParams& params = context.params;
  for (const auto& [id, bias] : params.logit_bias) logits[static_cast<size_t>(id)] += bias;
  if (!params.allowed_ids.empty()) KeepOnly(params.allowed_ids, logits);
  for (const int32_t id : params.banned_ids) logits[static_cast<size_t>(id)] = kNever;
}

}  // namespace rf
