// Finds out what a chat template takes by rendering small conversations with marked texts.
#include <string_view>

#include "text/template/chat.h"

namespace rf {

namespace {

using nlohmann::ordered_json;

constexpr std::string_view kUser = "uSeR tExT";
constexpr std::string_view kSystem = "sYsTeM tExT";
constexpr std::string_view kAnswer = "aNsWeR tExT";
constexpr std::string_view kResult = "rEsUlT tExT";
constexpr std::string_view kReasoning = "rEaSoN tExT";
constexpr std::string_view kTool = "probe_tool";
constexpr std::string_view kArguments = R"({"probe_key": "pRoBe vAlUe"})";

ordered_json Message(std::string_view role, std::string_view content) {
  return {{"role", role}, {"content", content}};
}

ordered_json WithParts(ordered_json message) {
  message["content"] = ordered_json::array({{{"type", "text"}, {"text", message["content"]}}});
  return message;
}

ordered_json ToolSchema() {
  const ordered_json parameters = {{"type", "object"},
                                   {"properties", {{"probe_key", {{"type", "string"}, {"description", "a key"}}}}},
                                   {"required", {"probe_key"}}};
  return ordered_json::array(
      {{{"type", "function"}, {"function", {{"name", kTool}, {"description", "a tool"}, {"parameters", parameters}}}}});
}

// A call and its result. The id has the nine characters that one family insists on.
ordered_json CallRound(const ordered_json& arguments) {
  ordered_json call = Message("assistant", "");
  call["reasoning_content"] = call["reasoning"] = call["thinking"] = kReasoning;
  call["tool_calls"] = ordered_json::array(
      {{{"id", "call00001"}, {"type", "function"}, {"function", {{"name", kTool}, {"arguments", arguments}}}}});
  ordered_json result = Message("tool", kResult);
  result["name"] = kTool;
  result["tool_call_id"] = "call00001";
  return ordered_json::array({Message("user", kUser), call, result});
}

class Prober {
 public:
  Prober(const Template& chat_template, const TemplateLimits& limits) : template_(chat_template) {
    options_.limits = limits;
    options_.now = std::chrono::sys_seconds(std::chrono::sys_days(std::chrono::year(2026) / 1 / 15));
    options_.lenient = true;
  }

  ChatCapabilities Run() {
    ProbePlain();
    ProbeRoles();
    ProbeParts();
    ProbeTools();
    return found_;
  }

 private:
  // The prompt, empty if the template fails.
  std::string Render(ordered_json messages, const ordered_json& tools = nullptr) const {
    ordered_json context = {{"messages", std::move(messages)},
                            {"documents", nullptr},
                            {"add_generation_prompt", true},
                            {"bos_token", "<bos>"},
                            {"eos_token", "<eos>"}};
    if (!tools.is_null() || !found_.tools_absent_when_none) context["tools"] = tools;
    Result<std::string> text = template_.Render(context, options_);
    return text ? std::move(text).value() : std::string();
  }

  static bool Has(const std::string& prompt, std::string_view text) { return prompt.find(text) != std::string::npos; }

  void ProbePlain() {
    const ordered_json messages = ordered_json::array({Message("user", kUser)});
    if (Has(Render(messages), kUser)) return;
    found_.tools_absent_when_none = true;
    if (Has(Render(messages), kUser)) return;
    found_.tools_absent_when_none = false;
    // Neither works as text: either only parts do, or the template wants variables of its own.
    found_.text_content = !Has(Render(ordered_json::array({WithParts(Message("user", kUser))})), kUser);
  }

  ordered_json Text(std::string_view role, std::string_view content) const {
    return found_.text_content ? Message(role, content) : WithParts(Message(role, content));
  }

  void ProbeRoles() {
    if (Render(ordered_json::array({Text("user", kUser)})).empty()) return;  // nothing can be learned
    const auto reaches = [&](std::string_view role) {
      const std::string prompt = Render(ordered_json::array({Text(role, kSystem), Text("user", kUser)}));
      return Has(prompt, kSystem) && Has(prompt, kUser);
    };
    found_.system_role = reaches("system");
    // A template that prints any role does not know this one.
    found_.developer_role = reaches("developer") && !reaches("pRoBeRoLe");
  }

  // Whether the message at `i` may have parts with the same result.
  bool TakesParts(ordered_json messages, size_t i, const ordered_json& tools = nullptr) const {
    const std::string wanted = Render(messages, tools);
    if (!Has(wanted, messages[i]["content"].get_ref<const std::string&>())) return false;
    messages[i] = WithParts(messages[i]);
    return Render(messages, tools) == wanted;
  }

  void ProbeParts() {
    if (!found_.text_content) {
      found_.system_parts = found_.user_parts = found_.assistant_parts = found_.tool_parts = true;
      return;
    }
    const ordered_json user = Message("user", kUser);
    found_.user_parts = TakesParts(ordered_json::array({user}), 0);
    found_.system_parts = TakesParts(ordered_json::array({Message("system", kSystem), user}), 0);
    found_.assistant_parts = TakesParts(ordered_json::array({user, Message("assistant", kAnswer), user}), 1);
    const ordered_json object = ordered_json::parse(kArguments);
    found_.tool_parts = TakesParts(CallRound(object), 2, ToolSchema());
  }

  // How well a rendering shows the arguments: 0 not at all, 1 encoded twice or in Python's form, 2 well.
  static int Quality(const std::string& prompt) {
    if (!Has(prompt, "pRoBe vAlUe")) return 0;
    return Has(prompt, R"(\"probe_key)") || Has(prompt, "'probe_key'") ? 1 : 2;
  }

  void ProbeTools() {
    const ordered_json tools = ToolSchema();
    found_.tools = Has(Render(ordered_json::array({Text("user", kUser)}), tools), kTool);
    const std::string with_object = Render(CallRound(ordered_json::parse(kArguments)), tools);
    const std::string with_text = Render(CallRound(kArguments), tools);
    found_.arguments_as_text = Quality(with_text) > Quality(with_object);
    const std::string& best = found_.arguments_as_text ? with_text : with_object;
    found_.tool_calls = Quality(best) > 0;
    found_.tool_results = Has(best, kResult);
    found_.reasoning = Has(best, kReasoning);
  }

  const Template& template_;
  RenderOptions options_;
  ChatCapabilities found_;
};

}  // namespace

ChatCapabilities ProbeChatTemplate(const Template& chat_template, const TemplateLimits& limits) {
  return Prober(chat_template, limits).Run();
}

}  // namespace rf
