// Messages as clients send them to messages as a template takes them.
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "text/template/chat.h"
#include "text/template/interpreter.h"
#include "text/template/value_ops.h"

namespace rf {

namespace {

using nlohmann::ordered_json;

// JSON text with a blank after commas and colons, as the templates' own filter writes it.
Result<std::string> JsonText(const ordered_json& json) {
  jinja::Meter meter{TemplateLimits{}};
  RF_ASSIGN_OR_RETURN(const jinja::Value value, jinja::FromJson(json, {.borrow = true}, meter));
  RF_ASSIGN_OR_RETURN(jinja::MarkedText text, jinja::ToJson(value, jinja::JsonStyle{}, meter));
  return std::move(text.text);
}

class Adapter {
 public:
  explicit Adapter(const ChatCapabilities& capabilities) : can_(capabilities) {}

  Result<ordered_json> Run(const ordered_json& messages) {
    for (size_t i = 0; i < messages.size(); ++i) {
      path_ = fmt::format("messages[{}]", i);
      RF_RETURN_IF_ERROR(Add(messages[i]));
    }
    RF_RETURN_IF_ERROR(FlushSystem());
    return std::move(out_);
  }

 private:
  Error Bad(std::string_view field, std::string message) const {
    return Error{ErrorCode::kInvalidArgument, std::move(message), fmt::format("{}{}", path_, field)};
  }

  Status Add(const ordered_json& original) {
    if (!original.is_object()) return Bad("", "must be an object");
    if (!original.contains("role") || !original["role"].is_string()) return Bad(".role", "must be a string");
    ordered_json message = original;
    std::string role = message["role"].get<std::string>();
    if (role == "developer" && !can_.developer_role) role = "system";
    message["role"] = role;
    RF_RETURN_IF_ERROR(AdaptContent(message, role));
    RF_RETURN_IF_ERROR(AdaptCalls(message));
    if (role == "assistant") CopyReasoning(message);
    if (role == "system" && !can_.system_role) return HoldSystem(message);
    if (role == "user") RF_RETURN_IF_ERROR(PrependSystem(message));
    if (role != "user") RF_RETURN_IF_ERROR(FlushSystem());
    // A developer message that became a system message joins the one before it: templates know one at the start.
    if (role == "system" && original["role"] == "developer" && !out_.empty() && out_.back()["role"] == "system" &&
        out_.back()["content"].is_string() && message["content"].is_string()) {
      out_.back()["content"] =
          fmt::format("{}\n\n{}", out_.back()["content"].get<std::string>(), message["content"].get<std::string>());
      return {};
    }
    out_.push_back(std::move(message));
    return {};
  }

  bool TakesParts(std::string_view role) const {
    if (role == "system" || role == "developer") return can_.system_parts;
    if (role == "user") return can_.user_parts;
    return role == "assistant" ? can_.assistant_parts : can_.tool_parts;
  }

  Result<std::string> JoinParts(const ordered_json& parts) const {
    std::string text;
    for (size_t i = 0; i < parts.size(); ++i) {
      const ordered_json& part = parts[i];
      const bool is_text = part.is_object() && part.contains("text") && part["text"].is_string() &&
                           (!part.contains("type") || part["type"] == "text");
      if (!is_text) return Bad(fmt::format(".content[{}]", i), "is not a text part, and the template takes only text");
      text += part["text"].get<std::string>();
    }
    return text;
  }

  Status AdaptContent(ordered_json& message, std::string_view role) const {
    if (!message.contains("content") || message["content"].is_null()) message["content"] = "";
    ordered_json& content = message["content"];
    if (content.is_array() && !TakesParts(role)) {
      RF_ASSIGN_OR_RETURN(content, JoinParts(content));
    } else if (!content.is_array() && !content.is_string()) {
      RF_ASSIGN_OR_RETURN(content, JsonText(content));
    }
    if (content.is_string() && !can_.text_content) {
      content = ordered_json::array({{{"type", "text"}, {"text", content}}});
    }
    return {};
  }

  Status AdaptCalls(ordered_json& message) const {
    if (!message.contains("tool_calls")) return {};
    if (message["tool_calls"].is_null() || message["tool_calls"].empty()) {
      message.erase("tool_calls");
      return {};
    }
    if (!message["tool_calls"].is_array()) return Bad(".tool_calls", "must be a list");
    for (ordered_json& call : message["tool_calls"]) {
      if (!call.is_object()) return Bad(".tool_calls", "must be a list of objects");
      ordered_json* const holder = call.contains("function") ? &call["function"] : &call;
      if (!holder->is_object() || !holder->contains("arguments")) continue;
      ordered_json& arguments = (*holder)["arguments"];
      if (can_.arguments_as_text && !arguments.is_string()) {
        RF_ASSIGN_OR_RETURN(arguments, JsonText(arguments));
      } else if (!can_.arguments_as_text && arguments.is_string()) {
        ordered_json parsed = ordered_json::parse(arguments.get_ref<const std::string&>(), nullptr, false);
        if (parsed.is_object()) arguments = std::move(parsed);
      }
    }
    return {};
  }

  // Templates look for the reasoning under different names.
  static void CopyReasoning(ordered_json& message) {
    constexpr const char* kNames[] = {"reasoning_content", "thinking", "reasoning"};
    const auto has = [&message](const char* name) {
      return message.contains(name) && message[name].is_string() &&
             !message[name].get_ref<const std::string&>().empty();
    };
    for (const char* source : kNames) {
      if (!has(source)) continue;
      const std::string text = message[source].get<std::string>();
      for (const char* target : kNames) {
        if (!has(target)) message[target] = text;
      }
      return;
    }
  }

  Status HoldSystem(const ordered_json& message) {
    if (!message["content"].is_string()) return Bad(".content", "the template takes no system message");
    if (!held_.empty()) held_ += "\n\n";
    held_ += message["content"].get<std::string>();
    return {};
  }

  // The held system text goes before the next user message.
  Status PrependSystem(ordered_json& message) {
    if (held_.empty()) return {};
    ordered_json& content = message["content"];
    if (content.is_string()) {
      content = fmt::format("{}\n\n{}", held_, content.get<std::string>());
    } else {
      content.insert(content.begin(), ordered_json{{"type", "text"}, {"text", held_ + "\n\n"}});
    }
    held_.clear();
    return {};
  }

  // System text before anything but a user message becomes a user message of its own.
  Status FlushSystem() {
    if (held_.empty()) return {};
    ordered_json message = {{"role", "user"}, {"content", std::exchange(held_, {})}};
    RF_RETURN_IF_ERROR(AdaptContent(message, "user"));
    out_.push_back(std::move(message));
    return {};
  }

  const ChatCapabilities& can_;
  ordered_json out_ = ordered_json::array();
  std::string held_;
  std::string path_;
};

}  // namespace

Result<ordered_json> AdaptMessages(const ordered_json& messages, const ChatCapabilities& capabilities) {
  return Adapter(capabilities).Run(messages);
}

}  // namespace rf
