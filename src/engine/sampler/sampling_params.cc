#include "engine/sampler/sampling_params.h"

#include <limits>

#include <fmt/format.h>

namespace rf {
namespace {

constexpr float kMaxTemperature = 100.0f;
constexpr float kMaxPenalty = 2.0f;
constexpr float kMaxRepetitionPenalty = 100.0f;
constexpr float kMaxBias = 100.0f;
constexpr size_t kMaxBiases = 1024;

struct Range {
  const char* field;
  float value;
  float min;
  float max;
};

// "Accept if inside": NaN is inside no range.
Status CheckRange(const Range& range) {
  if (range.value >= range.min && range.value <= range.max) return {};
  return Error{ErrorCode::kInvalidArgument, fmt::format("is {}, must be {} to {}", range.value, range.min, range.max),
               range.field};
}

Status CheckBiases(const SamplingParams& params, int32_t n_vocab) {
  if (params.logit_bias.size() > kMaxBiases) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("has {} entries, at most {} are taken", params.logit_bias.size(), kMaxBiases),
                 "logit_bias"};
  }
  for (const auto& [id, bias] : params.logit_bias) {
    if (id < 0 || id >= n_vocab) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("token {} is outside the vocabulary of {}", id, n_vocab),
                   "logit_bias"};
    }
    RF_RETURN_IF_ERROR(CheckRange({"logit_bias", bias, -kMaxBias, kMaxBias}));
  }
  return {};
}

}  // namespace

Status CheckSamplingParams(const SamplingParams& params, int32_t n_vocab) {
  const Range ranges[] = {
      {"temperature", params.temperature, 0.0f, kMaxTemperature},
      {"top_p", params.top_p, 0.0f, 1.0f},
      {"min_p", params.min_p, 0.0f, 1.0f},
      {"presence_penalty", params.presence_penalty, -kMaxPenalty, kMaxPenalty},
      {"frequency_penalty", params.frequency_penalty, -kMaxPenalty, kMaxPenalty},
      {"repetition_penalty", params.repetition_penalty, std::numeric_limits<float>::min(), kMaxRepetitionPenalty},
  };
  for (const Range& range : ranges) RF_RETURN_IF_ERROR(CheckRange(range));
  if (params.top_k < 0) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("is {}, must be 0 or more", params.top_k), "top_k"};
  }
  if (params.penalty_window < -1) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("is {}, must be -1 or more", params.penalty_window),
                 "penalty_window"};
  }
  return CheckBiases(params, n_vocab);
}

}  // namespace rf
