// The fields of a (legacy) completion request.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "server/openai/fields.h"
#include "server/openai/generation_params.h"
#include "text/tokenizer/tokenizer.h"

namespace rf::server {

inline constexpr size_t kMaxRequestChoices = 128;  ///< prompts times n
inline constexpr int32_t kDefaultCompletionTokens = 16;

/// Text, or token ids.
using CompletionPrompt = std::variant<std::string, std::vector<TokenId>>;

struct CompletionRequest {
  GenerationParams params;
  std::vector<CompletionPrompt> prompts;
  bool echo = false;
  bool parse_special = true;  ///< texts of control tokens in a prompt become those tokens
};

/// Reads all fields. Problems are left in `fields`.
CompletionRequest ReadCompletionRequest(Fields& fields, int32_t n_vocab);

}  // namespace rf::server
