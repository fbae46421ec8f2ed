#include <limits>

#include "engine/sampler/steps.h"

namespace rf {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

}  // namespace

bool UsesLogitBias(const SamplingParams& params) {
  return !params.logit_bias.empty() || !params.banned_ids.empty();
}

void ListLogitBias(const SamplingContext& context, std::vector<LogitChange>& changes) {
  const SamplingParams& params = context.params;
  for (const auto& [id, bias] : params.logit_bias) changes.push_back({id, LogitChangeKind::kAdd, bias});
  for (const int32_t id : params.banned_ids) changes.push_back({id, LogitChangeKind::kSet, kNever});
}

}  // namespace rf
