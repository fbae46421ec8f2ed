#include "text/toolcall/instructions.h"

#include <string>
#include <utility>

namespace rf {
namespace {

using nlohmann::ordered_json;

constexpr const char* kBefore = "You can call these tools:\n";
constexpr const char* kAfter =
    "\nTo call a tool, answer with nothing but a JSON object:\n"
    "{\"tool_call\": {\"name\": \"the tool's name\", \"arguments\": {\"parameter\": \"value\"}}}\n"
    "To call several at once: {\"tool_calls\": [{\"name\": …, \"arguments\": …}, …]}\n"
    "You get the results as {\"tool_result\": …}. Answer in plain text when no tool is needed.";

std::string Dump(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string Instructions(const ordered_json& tools) {
  std::string text = kBefore;
  for (const ordered_json& tool : tools) {
    text += Dump(tool.is_object() && tool.contains("function") ? tool["function"] : tool);
    text += '\n';
  }
  text += kAfter;
  return text;
}

// The call without its id and type, arguments as an object.
ordered_json PlainCall(const ordered_json& call) {
  if (!call.is_object()) return call;
  ordered_json function = call.contains("function") ? call["function"] : call;
  if (!function.is_object() || !function.contains("arguments") || !function["arguments"].is_string()) return function;
  auto arguments = ordered_json::parse(function["arguments"].get_ref<const std::string&>(), nullptr, false);
  if (!arguments.is_discarded()) function["arguments"] = std::move(arguments);
  return function;
}

void WriteCalls(ordered_json& message) {
  const ordered_json calls = message["tool_calls"];
  message.erase("tool_calls");
  if (!calls.is_array() || calls.empty()) return;
  ordered_json list = ordered_json::array();
  for (const ordered_json& call : calls) list.push_back(PlainCall(call));
  const ordered_json written =
      list.size() == 1 ? ordered_json{{"tool_call", list[0]}} : ordered_json{{"tool_calls", list}};
  message["content"] = Dump(written);
}

void WriteResult(ordered_json& message) {
  const ordered_json content = message.contains("content") ? message["content"] : ordered_json();
  message = {{"role", "user"}, {"content", Dump({{"tool_result", content}})}};
}

bool HasRole(const ordered_json& message, const char* role) {
  return message.contains("role") && message["role"] == role;
}

}  // namespace

void DescribeTools(ChatTemplateInput& input) {
  std::string text = Instructions(input.tools);
  input.tools = nullptr;
  if (!input.messages.is_array()) return;
  for (ordered_json& message : input.messages) {
    if (!message.is_object()) continue;
    if (message.contains("tool_calls")) WriteCalls(message);
    if (HasRole(message, "tool")) WriteResult(message);
  }
  ordered_json& messages = input.messages;
  const bool has_system = !messages.empty() && messages[0].is_object() && HasRole(messages[0], "system") &&
                          messages[0].contains("content") && messages[0]["content"].is_string();
  if (has_system) {
    messages[0]["content"] = messages[0]["content"].get<std::string>() + "\n\n" + text;
  } else {
    messages.insert(messages.begin(), ordered_json{{"role", "system"}, {"content", std::move(text)}});
  }
}

}  // namespace rf
