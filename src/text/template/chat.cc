#include "text/template/chat.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"

namespace rf {

using nlohmann::ordered_json;

Result<ChatTemplate> ChatTemplate::Create(std::string source, const TemplateLimits& limits) {
  Result<Template> parsed = Template::Parse(std::move(source), limits);
  if (!parsed) {
    Error error = std::move(parsed).error();
    error.message += "; another template can be given with --chat-template";
    return error;
  }
  ChatTemplate chat(std::move(parsed).value(), limits);
  for (const TemplateWarning& warning : chat.warnings()) Log(LogLevel::kWarning, "chat " + warning.message);
  chat.capabilities_ = ProbeChatTemplate(chat.template_, limits);
  return chat;
}

Result<std::string> ChatTemplate::Apply(const ChatTemplateInput& input) const {
  RF_ASSIGN_OR_RETURN(RenderedText rendered, ApplyMarked(input));
  return std::move(rendered.text);
}

Result<RenderedText> ChatTemplate::ApplyMarked(const ChatTemplateInput& input) const {
  if (!input.messages.is_array()) {
    return Error{ErrorCode::kInvalidArgument, "must be a list", "messages"};
  }
  ordered_json context = ordered_json::object();
  if (input.adapt) {
    RF_ASSIGN_OR_RETURN(context["messages"], AdaptMessages(input.messages, capabilities_));
  } else {
    context["messages"] = input.messages;
  }
  if (!(input.adapt && input.tools.is_null() && capabilities_.tools_absent_when_none)) context["tools"] = input.tools;
  context["documents"] = nullptr;
  context["add_generation_prompt"] = input.add_generation_prompt;
  context["bos_token"] = input.bos;
  context["eos_token"] = input.eos;
  RenderOptions options;
  for (const char* name : {"bos_token", "eos_token"}) {
    if (!input.kwargs.contains(name)) options.own_variables.emplace_back(name);
  }
  if (input.kwargs.is_object()) context.update(input.kwargs);
  options.limits = limits_;
  options.now = input.now;
  options.lenient = input.adapt;
  return template_.RenderMarked(context, options);
}

}  // namespace rf
