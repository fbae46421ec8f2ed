// What /set changes in a chat.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "engine/sampler/sampling_params.h"
#include "text/grammar/matcher.h"

namespace rf::app {

struct ChatSettings {
  SamplingParams sampling;
  std::shared_ptr<const grammar::CompiledGrammar> grammar;  ///< that answers must match; null: none; not for /set
  int32_t max_tokens = 0;                                   ///< of one answer; 0: as many as the context has room for
};

/// "temp 0.8" or "temp=0.8". The settings stay as they are on an error. Errors: kInvalidArgument with the names that
/// exist, or with the range of the value.
Status ApplySetting(ChatSettings& settings, const std::string& text, int32_t n_vocab);

/// All settings, one line each.
std::string DescribeSettings(const ChatSettings& settings);

}  // namespace rf::app
