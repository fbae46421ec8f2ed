// What /set changes in a chat.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "engine/sampler/sampling_params.h"

namespace rf::app {

struct ChatSettings {
  SamplingParams sampling;
  int32_t max_tokens = 0;  ///< of one answer; 0: as many as the context has room for
};

/// "temp 0.8" or "temp=0.8". The settings stay as they are on an error. Errors: kInvalidArgument with the names that
/// exist, or with the range of the value.
Status ApplySetting(ChatSettings& settings, const std::string& text, int32_t n_vocab);

/// All settings, one line each.
std::string DescribeSettings(const ChatSettings& settings);

}  // namespace rf::app
