#include "server/openai/chat_request.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "base/utf8.h"
#include "server/openai/response_format.h"

namespace rf::server {
namespace {

using Json = Fields::Json;

constexpr int kMaxTopLogprobs = 20;
constexpr std::array<std::string_view, 5> kRoles = {"system", "developer", "user", "assistant", "tool"};

bool IsString(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_string();
}

// A list of text parts.
void CheckParts(Fields& fields, const std::string& path, const Json& parts) {
  if (parts.empty()) return fields.Fail(path, "the content must not be an empty list");
  for (size_t i = 0; i < parts.size() && fields.ok(); ++i) {
    const std::string part_path = fmt::format("{}[{}]", path, i);
    if (!parts[i].is_object() || !IsString(parts[i], "type")) {
      fields.Fail(part_path, "a part must be an object with a string 'type'");
    } else if (parts[i]["type"] != "text") {
      fields.Fail(part_path,
                  fmt::format("parts of type '{}' are not supported: this model takes text only",
                              EscapeForMessage(parts[i]["type"].get_ref<const std::string&>(), 40)),
                  ErrorCode::kUnsupported);
    } else if (!IsString(parts[i], "text")) {
      fields.Fail(part_path, "a text part needs a string 'text'");
    }
  }
}

void CheckMessage(Fields& fields, const std::string& path, const Json& message) {
  if (!message.is_object()) return fields.Fail(path, "a message must be an object");
  const bool has_role =
      IsString(message, "role") &&
      std::find(kRoles.begin(), kRoles.end(), message["role"].get_ref<const std::string&>()) != kRoles.end();
  if (!has_role) return fields.Fail(path + ".role", "the role must be system, developer, user, assistant or tool");
  for (const char* key : {"name", "tool_call_id", "refusal", "reasoning_content"}) {
    if (message.contains(key) && !message[key].is_string() && !message[key].is_null()) {
      return fields.Fail(fmt::format("{}.{}", path, key), "must be a string");
    }
  }
  if (message.contains("tool_calls") && !message["tool_calls"].is_array() && !message["tool_calls"].is_null()) {
    return fields.Fail(path + ".tool_calls", "must be a list");
  }
  const bool has_calls = message.contains("tool_calls") && !message["tool_calls"].empty();
  const Json content = message.contains("content") ? message["content"] : Json(nullptr);
  if (content.is_array()) return CheckParts(fields, path + ".content", content);
  if (content.is_string() || (content.is_null() && message["role"] == "assistant" && has_calls)) return;
  fields.Fail(path + ".content", "the content must be a string or a list of text parts");
}

void ReadMessages(Fields& fields, ChatTemplateInput& input) {
  const Json* messages = fields.Array("messages");
  if (messages == nullptr || messages->empty()) return fields.Fail("messages", "'messages' must be a list of messages");
  for (size_t i = 0; i < messages->size() && fields.ok(); ++i) {
    CheckMessage(fields, fmt::format("messages[{}]", i), (*messages)[i]);
  }
  if (fields.ok()) input.messages = *messages;
}

void ReadMaxTokens(Fields& fields, GenerationParams& params) {
  const auto old_name = fields.Integer("max_tokens", 1, Fields::kMaxInt);
  const auto new_name = fields.Integer("max_completion_tokens", 1, Fields::kMaxInt);
  if (old_name && new_name && *old_name != *new_name) {
    fields.Fail("max_tokens", "'max_tokens' and 'max_completion_tokens' are the same thing and differ");
  }
  params.max_tokens = static_cast<int32_t>(new_name.value_or(old_name.value_or(kUnlimitedTokens)));
}

void ReadLogprobs(Fields& fields, GenerationParams& params) {
  const bool wants = fields.Bool("logprobs").value_or(false);
  const auto n_top = fields.Integer("top_logprobs", 0, kMaxTopLogprobs);
  if (n_top && !wants) fields.Fail("top_logprobs", "'top_logprobs' needs 'logprobs': true");
  if (wants) params.n_top_logprobs = static_cast<int32_t>(n_top.value_or(0));
}

void CheckOutputKind(Fields& fields) {
  const Json* modalities = fields.Array("modalities");
  if (modalities != nullptr && *modalities != Json::array({"text"}))
    fields.Unsupported("modalities", "only [\"text\"]");
  for (const char* name : {"audio", "prediction", "web_search_options", "reasoning_effort", "verbosity"}) {
    fields.Unsupported(name, "this server does not have it");
  }
}

}  // namespace

ChatRequest ReadChatRequest(Fields& fields, int32_t n_vocab) {
  ChatRequest request;
  request.params = ReadGenerationParams(fields, n_vocab);
  ReadMessages(fields, request.input);
  ReadMaxTokens(fields, request.params);
  ReadLogprobs(fields, request.params);
  request.tools = ReadChatTools(fields);
  for (const char* name : {"functions", "function_call"}) fields.Unsupported(name, "it is deprecated; see 'tools'");
  CheckOutputKind(fields);
  request.format = ReadResponseFormat(fields);
  if (const Json* kwargs = fields.Object("chat_template_kwargs")) request.input.kwargs = *kwargs;
  return request;
}

}  // namespace rf::server
