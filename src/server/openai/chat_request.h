// The fields of a chat completion request.
#pragma once

#include <optional>

#include "server/openai/chat_tools.h"
#include "server/openai/fields.h"
#include "server/openai/generation_params.h"
#include "text/grammar/compile.h"
#include "text/template/chat.h"

namespace rf::server {

struct ChatRequest {
  GenerationParams params;
  ChatTemplateInput input;  ///< messages, kwargs
  ChatTools tools;
  std::optional<grammar::GrammarSource> format;  ///< what response_format asks for
};

/// Reads all fields. What OpenAI's API has and this server does not (images, audio) is refused by name. Problems are
/// left in `fields`.
ChatRequest ReadChatRequest(Fields& fields, int32_t n_vocab);

}  // namespace rf::server
