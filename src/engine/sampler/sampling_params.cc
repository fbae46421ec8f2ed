#include "engine/sampler/sampling_params.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf {
namespace {

template <typename T>
struct Range {
  const char* key;
  T value;
  T least;
  T most;
};

Error BadField(const char* key, std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), key};
}

// "Accept if inside": NaN is inside no range.
template <typename T>
Status CheckRange(const Range<T>& range) {
  if (range.value >= range.least && range.value <= range.most) return {};
  if (range.most == static_cast<T>(SamplingParams::kMaxCount)) {
    return BadField(range.key, fmt::format("is {}, must be {} or more", range.value, range.least));
  }
  return BadField(range.key, fmt::format("is {}, must be {} to {}", range.value, range.least, range.most));
}

Status CheckId(const char* key, int32_t id, int32_t n_vocab) {
  if (id >= 0 && id < n_vocab) return {};
  return BadField(key, fmt::format("token {} is outside the vocabulary of {}", id, n_vocab));
}

Status CheckIds(const char* key, const std::vector<int32_t>& ids, int32_t n_vocab) {
  if (ids.size() > kMaxListedIds) {
    return BadField(key, fmt::format("has {} entries, at most {} are taken", ids.size(), kMaxListedIds));
  }
  for (const int32_t id : ids) RF_RETURN_IF_ERROR(CheckId(key, id, n_vocab));
  return {};
}

Status CheckBiases(const SamplingParams& params, int32_t n_vocab) {
  if (params.logit_bias.size() > kMaxLogitBiases) {
    return BadField("logit_bias",
                    fmt::format("has {} entries, at most {} are taken", params.logit_bias.size(), kMaxLogitBiases));
  }
  for (const auto& [id, bias] : params.logit_bias) {
    RF_RETURN_IF_ERROR(CheckId("logit_bias", id, n_vocab));
    RF_RETURN_IF_ERROR(CheckRange<float>({"logit_bias", bias, -kMaxLogitBias, kMaxLogitBias}));
  }
  return {};
}

Status CheckBreakers(const std::vector<std::string>& breakers) {
  if (breakers.size() > kMaxDryBreakers) {
    return BadField("dry_sequence_breakers",
                    fmt::format("has {} entries, at most {} are taken", breakers.size(), kMaxDryBreakers));
  }
  for (const std::string& breaker : breakers) {
    if (!breaker.empty() && breaker.size() <= kMaxDryBreakerBytes) continue;
    return BadField("dry_sequence_breakers", fmt::format("needs strings of 1 to {} bytes", kMaxDryBreakerBytes));
  }
  return {};
}

std::string StepNames() {
  std::string names;
  for (const SamplingStepName& step : kSamplingSteps) names += (names.empty() ? "" : ", ") + std::string(step.key);
  return names;
}

}  // namespace

Status CheckSamplingParams(const SamplingParams& params, int32_t n_vocab) {
  constexpr int32_t kMaxCount = SamplingParams::kMaxCount;
#define RF_SAMPLING_PARAM(Type, field, neutral, least, most, key, options, help) \
  RF_RETURN_IF_ERROR(CheckRange<Type>({key, params.field, static_cast<Type>(least), static_cast<Type>(most)}));
#include "engine/sampler/sampling_params.def"
#undef RF_SAMPLING_PARAM
  RF_RETURN_IF_ERROR(CheckIds("banned_token_ids", params.banned_ids, n_vocab));
  RF_RETURN_IF_ERROR(CheckIds("allowed_token_ids", params.allowed_ids, n_vocab));
  RF_RETURN_IF_ERROR(CheckBreakers(params.dry_breakers));
  return CheckBiases(params, n_vocab);
}

Result<std::vector<SamplingStep>> ParseSamplingOrder(std::string_view text) {
  std::vector<SamplingStep> order;
  while (!text.empty()) {
    const std::string_view key = text.substr(0, text.find_first_of(";,"));
    text.remove_prefix(std::min(text.size(), key.size() + 1));
    const auto* found = std::find_if(std::begin(kSamplingSteps), std::end(kSamplingSteps),
                                     [&](const SamplingStepName& step) { return key == step.key; });
    if (found == std::end(kSamplingSteps)) {
      return BadField("samplers",
                      fmt::format("there is no step '{}'; they are {}", EscapeForMessage(key, 40), StepNames()));
    }
    if (std::find(order.begin(), order.end(), found->step) != order.end()) {
      return BadField("samplers", fmt::format("the step '{}' comes twice", key));
    }
    order.push_back(found->step);
  }
  if (order.empty()) return BadField("samplers", fmt::format("is empty; the steps are {}", StepNames()));
  return order;
}

}  // namespace rf
