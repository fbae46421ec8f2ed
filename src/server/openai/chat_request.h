// The fields of a chat completion request.
#pragma once

#include "server/openai/chat_tools.h"
#include "server/openai/fields.h"
#include "server/openai/generation_params.h"
#include "text/template/chat.h"

namespace rf::server {

struct ChatRequest {
  GenerationParams params;
  ChatTemplateInput input;  ///< messages, kwargs
  ChatTools tools;
};

/// Reads all fields. What OpenAI's API has and this server does not (response formats, images, audio) is refused by
/// name. Problems are left in `fields`.
ChatRequest ReadChatRequest(Fields& fields, int32_t n_vocab);

}  // namespace rf::server
