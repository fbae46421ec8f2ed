#include "text/toolcall/detect.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/toolcall/reply_parser.h"

namespace rf {

using toolcall::ReasoningTags;
using toolcall::ToolFormat;

namespace {

using nlohmann::ordered_json;

constexpr std::string_view kQuestionText = "qUeStIoN tExT";
constexpr std::string_view kReasonText = "rEaSoN tExT";
constexpr std::string_view kResultText = "rEsUlT tExT";
constexpr std::string_view kProbeTool = "probe_tool";
constexpr std::string_view kCallId = "call00001";  // nine characters, as one family insists on

ordered_json Tools() {
  return ordered_json::parse(R"([{"type": "function", "function": {"name": "probe_tool", "description": "a tool",
      "parameters": {"type": "object", "required": ["probe_key"], "properties": {
          "probe_key": {"type": "string", "description": "a text"},
          "probe_number": {"type": "integer", "description": "a number"}}}}}])");
}

ordered_json Arguments() {
  return {{"probe_key", "pRoBe vAlUe"}, {"probe_number", 42}};
}

// A question, a call with reasoning, its result.
ordered_json Conversation(const ordered_json& content, const ordered_json& arguments) {
  ordered_json call = {{"role", "assistant"}, {"content", content}};
  call["reasoning_content"] = call["reasoning"] = call["thinking"] = kReasonText;
  call["tool_calls"] = ordered_json::array(
      {{{"id", kCallId}, {"type", "function"}, {"function", {{"name", kProbeTool}, {"arguments", arguments}}}}});
  const ordered_json result = {
      {"role", "tool"}, {"content", kResultText}, {"name", kProbeTool}, {"tool_call_id", kCallId}};
  return ordered_json::array({{{"role", "user"}, {"content", kQuestionText}}, call, result});
}

class Detector {
 public:
  explicit Detector(const ChatTemplate& chat_template) : template_(chat_template) {
    const ordered_json question = ordered_json::array({{{"role", "user"}, {"content", kQuestionText}}});
    described_ = Render(question, /*adapts=*/true, /*opens_turn=*/true);
    const size_t user = described_.rfind(kQuestionText);
    opening_ = user == std::string::npos ? "" : described_.substr(user + kQuestionText.size());
  }

  ReplyStyle Run() {
    ReplyStyle style = DefaultReplyStyle();
    if (const ToolFormat* written = FindWritten()) {
      style.format = written;
      style.needs_instructions = false;
    } else if (const ToolFormat* named = FindNamed()) {
      style.format = named;
      style.needs_instructions = false;
    }
    style.reasoning = FindReasoning(style.format->reasoning);
    return style;
  }

 private:
  std::string Render(const ordered_json& messages, bool adapts, bool opens_turn) const {
    ChatTemplateInput input;
    input.messages = messages;
    input.tools = Tools();
    // What one family's template insists on.
    input.kwargs = {{"functions", "[]"}, {"datetime", "2026-01-15"}};
    input.add_generation_prompt = opens_turn;
    input.bos = "<bos>";
    input.eos = "<eos>";
    input.now = std::chrono::sys_seconds(std::chrono::sys_days(std::chrono::year(2026) / 1 / 15));
    input.adapt = adapts;
    const Result<std::string> text = template_.Apply(input);
    return text ? *text : "";
  }

  // The assistant's turn with what is in front of it, behind the question.
  std::string Turn(const ordered_json& messages, bool adapts) const {
    std::string text = Render(messages, adapts, /*opens_turn=*/false);
    const size_t user = text.rfind(kQuestionText);
    if (user == std::string::npos) return "";
    text.erase(0, user + kQuestionText.size());
    return text.substr(0, text.find(kResultText));
  }

  // Where the reply begins: as far as the turn is what the template opens a turn with. Not inside a marker.
  size_t ReplyBegin(const std::string& turn) const {
    const auto [in_turn, in_opening] = std::mismatch(turn.begin(), turn.end(), opening_.begin(), opening_.end());
    auto n = static_cast<size_t>(in_turn - turn.begin());
    if (in_opening == opening_.end()) return n;
    while (n > 0 && std::string_view("> \n:]").find(turn[n - 1]) == std::string_view::npos) --n;
    return n;
  }

  // How much text is left over when the format reads the turn; nothing if it does not find the call.
  std::optional<size_t> LeftOver(const ToolFormat& format, const std::string& turn) const {
    const size_t begin = ReplyBegin(turn);
    ReplyParserOptions options{.tools = toolcall::ToolSchemas(Tools()),
                               .prompt_end = std::string_view(turn).substr(0, begin)};
    const ParsedReply reply = ParseReply(format, std::move(options), std::string_view(turn).substr(begin));
    if (reply.calls.size() != 1 || reply.calls[0].name != kProbeTool) return std::nullopt;
    // Not ordered: some templates sort the keys.
    const auto arguments = nlohmann::json::parse(reply.calls[0].arguments, nullptr, false);
    if (arguments != nlohmann::json(Arguments())) return std::nullopt;
    return reply.content.size();
  }

  const ToolFormat* FindIn(const std::string& turn) const {
    const ToolFormat* best = nullptr;
    size_t least = std::string::npos;
    for (const ToolFormat& format : toolcall::AllFormats()) {
      const auto left = LeftOver(format, turn);
      if (!left || *left >= least) continue;
      best = &format;
      least = *left;
    }
    return best;
  }

  // Some templates print calls only where the content is null, or take no adapted messages.
  const ToolFormat* FindWritten() {
    for (const bool adapts : {true, false}) {
      for (const ordered_json& content : {ordered_json(""), ordered_json(nullptr)}) {
        for (const ordered_json& arguments : {Arguments(), ordered_json(Arguments().dump())}) {
          turn_ = Turn(Conversation(content, arguments), adapts);
          if (const ToolFormat* found = FindIn(turn_)) return found;
          if (adapts) break;  // it chooses the form of the arguments itself
        }
      }
    }
    turn_ = Turn(Conversation("", Arguments()), /*adapts=*/true);
    return nullptr;
  }

  size_t CountNamed(const toolcall::Opener& opener) const {
    if (opener.only_at_start || described_.find(opener.text) == std::string::npos) return 0;
    const auto is_named = [this](const toolcall::Op& op) {
      return op.kind == toolcall::OpKind::kToken && described_.find(op.text) != std::string::npos;
    };
    return 1 + static_cast<size_t>(std::count_if(opener.program.begin(), opener.program.end(), is_named));
  }

  // The format most of whose markers stand where the template describes the tools.
  const ToolFormat* FindNamed() const {
    if (described_.find(kProbeTool) == std::string::npos) return nullptr;
    const ToolFormat* best = nullptr;
    size_t most = 0;
    for (const ToolFormat& format : toolcall::AllFormats()) {
      size_t n_named = !format.description.empty() && described_.find(format.description) != std::string::npos ? 1 : 0;
      for (const toolcall::Opener& opener : format.openers) n_named = std::max(n_named, CountNamed(opener));
      if (n_named <= most) continue;
      best = &format;
      most = n_named;
    }
    return best;
  }

  bool Prints(const ReasoningTags& tags) const {
    if (tags.open.empty()) return false;
    return turn_.find(tags.open) != std::string::npos || opening_.find(tags.open) != std::string::npos;
  }

  ReasoningTags FindReasoning(const ReasoningTags& usual) const {
    if (usual.open.empty() || Prints(usual)) return usual;
    for (const ToolFormat& format : toolcall::AllFormats()) {
      if (Prints(format.reasoning)) return format.reasoning;
    }
    return usual;
  }

  const ChatTemplate& template_;
  std::string described_;  // a question with tools, and the opening of the answer
  std::string opening_;    // what is behind the question there
  std::string turn_;
};

}  // namespace

ReplyStyle DetectReplyStyle(const ChatTemplate& chat_template) {
  return Detector(chat_template).Run();
}

ReplyStyle DefaultReplyStyle() {
  const ToolFormat* format = toolcall::FindFormat("generic-json");
  return {format, format->reasoning, /*needs_instructions=*/true};
}

}  // namespace rf
