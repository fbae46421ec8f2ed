#include "server/openai/chat_reply.h"

#include <utility>

#include "base/log.h"
#include "server/openai/api.h"

namespace rf::server {

ChatReply::ChatReply(const Options& options)
    : parser_(*options.style.format, {.tools = toolcall::ToolSchemas(options.tools),
                                      .reasoning = options.style.reasoning,
                                      .prompt_end = options.prompt_end}),
      is_parallel_(options.is_parallel) {}

std::vector<ChatReply::Json> ChatReply::Add(std::string_view text) {
  std::vector<ReplyDelta> deltas;
  parser_.Feed(text, deltas);
  return Take(std::move(deltas));
}

std::vector<ChatReply::Json> ChatReply::Finish(bool is_truncated) {
  std::vector<ReplyDelta> deltas;
  parser_.Finish(is_truncated, deltas);
  for (const std::string& warning : parser_.warnings()) Log(LogLevel::kWarning, warning);
  return Take(std::move(deltas));
}

std::vector<ChatReply::Json> ChatReply::Take(std::vector<ReplyDelta> deltas) {
  using Kind = ReplyDelta::Kind;
  std::vector<Json> parts;
  for (ReplyDelta& delta : deltas) {
    const bool is_text = delta.kind == Kind::kContent || delta.kind == Kind::kReasoning;
    if (!is_text && !is_parallel_ && delta.index > 0) continue;
    if (delta.kind == Kind::kCall) {
      if (delta.id.empty()) delta.id = NewId("call_");
      ids_.push_back(delta.id);
    }
    // The format's own id may be known only now; the client was told another already.
    if (delta.kind == Kind::kCallEnd) delta.id = ids_[delta.index];
    has_calls_ = has_calls_ || delta.kind == Kind::kCallEnd;
    builder_.Add(delta);
    Json part = ToJson(delta);
    if (!part.is_null()) parts.push_back(std::move(part));
  }
  return parts;
}

ChatReply::Json ChatReply::ToJson(const ReplyDelta& delta) {
  using Kind = ReplyDelta::Kind;
  Json call = {{"index", delta.index}};
  switch (delta.kind) {
    case Kind::kContent: return {{"content", delta.text}};
    case Kind::kReasoning: return {{"reasoning_content", delta.text}};
    case Kind::kCall:
      call["id"] = delta.id;
      call["type"] = "function";
      call["function"] = {{"name", delta.name}, {"arguments", ""}};
      break;
    case Kind::kArguments: call["function"] = {{"arguments", delta.text}}; break;
    case Kind::kCallEnd:
    case Kind::kCallTaken: return nullptr;
  }
  return {{"tool_calls", Json::array({std::move(call)})}};
}

ChatReply::Json ChatReply::Message() const {
  const ParsedReply reply = builder_.Build();
  Json message = {{"role", "assistant"}, {"content", reply.content}, {"refusal", nullptr}};
  if (reply.content.empty() && !reply.calls.empty()) message["content"] = nullptr;
  if (!reply.reasoning.empty()) message["reasoning_content"] = reply.reasoning;
  if (reply.calls.empty()) return message;
  Json calls = Json::array();
  for (const ToolCall& call : reply.calls) {
    calls.push_back(
        {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  }
  message["tool_calls"] = std::move(calls);
  return message;
}

}  // namespace rf::server
