// Chat templates: messages to the prompt text of a model.
//
// Templates differ in what they take: content as text or as parts, arguments of tool calls as an object or as JSON
// text, system messages or none. ChatTemplate finds out once, by rendering small conversations and looking at what
// comes out, never by a model's name; Apply then gives each template what it takes. docs/templates.md has the table.
#pragma once

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/template/template.h"

namespace rf {

struct ChatTemplateInput {
  /// OpenAI's shape: [{"role", "content", "tool_calls", "tool_call_id", "reasoning_content", …}].
  nlohmann::ordered_json messages = nlohmann::ordered_json::array();
  /// [{"type": "function", "function": {…}}], or null.
  nlohmann::ordered_json tools = nullptr;
  /// Further variables of the template (an object), or null. They win over those that are set from the other fields.
  nlohmann::ordered_json kwargs = nullptr;
  bool add_generation_prompt = true;
  /// Text of the model's begin and end tokens, for templates that print them.
  std::string bos;
  std::string eos;
  /// What strftime_now sees (UTC); without it the system's clock.
  std::optional<std::chrono::sys_seconds> now = std::nullopt;
  /// Adapt the messages to what the template takes. False: pass them as they are, in the strict sandbox of the
  /// reference, so that the result is byte for byte what Hugging Face transformers renders.
  bool adapt = true;
};

/// What probing found out about a template.
struct ChatCapabilities {
  /// Roles whose content may be a list of parts with the same result as the text.
  bool system_parts = false;
  bool user_parts = false;
  bool assistant_parts = false;
  bool tool_parts = false;
  /// Content as a plain string reaches the prompt. (Some templates take only parts.)
  bool text_content = true;
  bool system_role = true;
  bool developer_role = false;
  /// Tool schemas, calls in assistant messages and results in tool messages reach the prompt.
  bool tools = false;
  bool tool_calls = false;
  bool tool_results = false;
  /// The arguments of a call should be JSON text, not an object.
  bool arguments_as_text = false;
  /// The template fails when `tools` is null and wants it absent.
  bool tools_absent_when_none = false;
  /// The reasoning of an assistant message that makes a call reaches the prompt.
  bool reasoning = false;
};

/// Immutable; may be used from several threads at once.
class ChatTemplate {
 public:
  /// Parses and probes; what a reader would not see in the source is logged as a warning. Errors: those of
  /// Template::Parse, with a hint how to override the template.
  static Result<ChatTemplate> Create(std::string source, const TemplateLimits& limits = {});

  /// The prompt. Errors: kRejected with the template's own message when it raises one; kInvalidArgument for content
  /// that the template can not take (`where` is a path such as "messages[2].content") and for failures of the template.
  Result<std::string> Apply(const ChatTemplateInput& input) const;

  /// As Apply, with the spans of the prompt that came from the messages, tools and kwargs: what a control token's text
  /// says there is not that token.
  Result<RenderedText> ApplyMarked(const ChatTemplateInput& input) const;

  const ChatCapabilities& capabilities() const { return capabilities_; }
  const std::vector<TemplateWarning>& warnings() const { return template_.warnings(); }

 private:
  ChatTemplate(Template parsed, const TemplateLimits& limits) : template_(std::move(parsed)), limits_(limits) {}

  Template template_;
  TemplateLimits limits_;
  ChatCapabilities capabilities_;
};

/// Renders small conversations and reads the capabilities off the results. Never fails: where a template renders
/// nothing, the defaults stand.
ChatCapabilities ProbeChatTemplate(const Template& chat_template, const TemplateLimits& limits);

/// The messages in the form that a template of these capabilities takes. Errors: kInvalidArgument for messages that are
/// not objects or have parts that are not text.
Result<nlohmann::ordered_json> AdaptMessages(const nlohmann::ordered_json& messages,
                                             const ChatCapabilities& capabilities);

}  // namespace rf
