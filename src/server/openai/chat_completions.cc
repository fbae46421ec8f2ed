// POST /v1/chat/completions.
#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include "server/openai/answer.h"
#include "server/openai/chat_reply.h"
#include "server/openai/chat_request.h"
#include "server/openai/logprobs.h"
#include "server/openai/response_format.h"
#include "text/toolcall/instructions.h"

namespace rf::server {
namespace {

constexpr size_t kPromptEndTokens = 32;  // enough for a turn's opening and the tag of reasoning

class ChatFormat final : public AnswerFormat {
 public:
  ChatFormat(const Tokenizer& tokenizer, bool wants_logprobs, ChatReply::Options reply)
      : tokenizer_(tokenizer), wants_logprobs_(wants_logprobs), reply_options_(std::move(reply)) {}

  const char* id_prefix() const override { return "chatcmpl-"; }
  const char* object() const override { return "chat.completion"; }
  const char* chunk_object() const override { return "chat.completion.chunk"; }
  const char* prompt_field() const override { return "messages"; }

  Json Choice(size_t index, const ChoiceUpdate& update) override {
    ChatReply reply(reply_options_);
    reply.Add(update.piece.text);
    reply.Finish(IsTruncated(update));
    return {{"index", index},
            {"message", reply.Message()},
            {"logprobs", Logprobs(update)},
            {"finish_reason", Reason(reply, update)}};
  }
  Json FirstDelta(size_t index) override {
    return Part(index, {{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}}, nullptr, nullptr);
  }
  std::vector<Json> Deltas(size_t index, const ChoiceUpdate& update) override {
    ChatReply& reply = ReplyOf(index);
    std::vector<Json> deltas = reply.Add(update.piece.text);
    if (update.is_finished) std::ranges::move(reply.Finish(IsTruncated(update)), std::back_inserter(deltas));
    // What the log-probabilities are of may be held back still.
    if (deltas.empty() && wants_logprobs_ && !update.piece.tokens.empty()) deltas.push_back(Json::object());
    std::vector<Json> parts;
    for (Json& delta : deltas) {
      parts.push_back(Part(index, std::move(delta), parts.empty() ? Logprobs(update) : Json(nullptr), nullptr));
    }
    return parts;
  }
  Json LastDelta(size_t index, const ChoiceUpdate& update) override {
    return Part(index, Json::object(), nullptr, Reason(ReplyOf(index), update));
  }

 private:
  static Json Part(size_t index, Json delta, Json logprobs, Json finish_reason) {
    return {{"index", index},
            {"delta", std::move(delta)},
            {"logprobs", std::move(logprobs)},
            {"finish_reason", std::move(finish_reason)}};
  }
  static bool IsTruncated(const ChoiceUpdate& update) {
    return update.is_stopped_by_text || update.result.reason != FinishReason::kStop;
  }
  static const char* Reason(const ChatReply& reply, const ChoiceUpdate& update) {
    const std::string_view reason = FinishReasonName(update);
    return reason == "stop" && reply.has_calls() ? "tool_calls" : reason.data();
  }
  ChatReply& ReplyOf(size_t index) { return replies_.try_emplace(index, reply_options_).first->second; }
  Json Logprobs(const ChoiceUpdate& update) const {
    return wants_logprobs_ ? ChatLogprobs(tokenizer_, update.piece.tokens) : Json(nullptr);
  }

  const Tokenizer& tokenizer_;
  bool wants_logprobs_;
  ChatReply::Options reply_options_;
  std::map<size_t, ChatReply> replies_;  // of a stream's choices
};

// The prompt, with the tools told in the way that the model's template knows.
Result<std::vector<TokenId>> EncodePrompt(const Api& api, ChatRequest& request) {
  request.input.tools = request.tools.schemas;
  if (!request.input.tools.is_null() && api.reply_style().needs_instructions) DescribeTools(request.input);
  auto prompt = api.session().EncodeChat(request.input);
  if (prompt) return prompt;
  Error error = std::move(prompt).error();
  // What a template refuses is the conversation; where in the template it says so tells a client nothing.
  if (error.where.empty() || error.where.starts_with("template")) error.where = "messages";
  return error;
}

std::string PromptEnd(const Tokenizer& tokenizer, const std::vector<TokenId>& prompt) {
  const size_t n_tokens = std::min(prompt.size(), kPromptEndTokens);
  std::string text;
  for (size_t i = prompt.size() - n_tokens; i < prompt.size(); ++i) text += tokenizer.Piece(prompt[i], true);
  return text;
}

Result<PreparedRequest> PrepareChat(const nlohmann::ordered_json& body, const Api& api) {
  const Tokenizer& tokenizer = *api.session().tokenizer;
  Fields fields(body);
  ChatRequest request = ReadChatRequest(fields, tokenizer.size());
  RF_RETURN_IF_ERROR(fields.Finish());
  RF_RETURN_IF_ERROR(api.CheckModel(request.params.model));
  RF_ASSIGN_OR_RETURN(std::vector<TokenId> prompt, EncodePrompt(api, request));
  ChatReply::Options reply{.style = api.reply_style(),
                           .tools = std::move(request.tools.schemas),
                           .prompt_end = PromptEnd(tokenizer, prompt),
                           .is_parallel = request.tools.is_parallel};
  PreparedRequest prepared;
  prepared.job.prompts.push_back(std::move(prompt));
  prepared.job.is_chat = true;
  RF_ASSIGN_OR_RETURN(prepared.job.grammar, CompileResponseFormat(request.format, *api.session().grammars));
  prepared.job.shown_controls = api.reply_markers();
  prepared.format = std::make_shared<ChatFormat>(tokenizer, request.params.n_top_logprobs >= 0, std::move(reply));
  prepared.params = std::move(request.params);
  return prepared;
}

}  // namespace

void AddChatCompletionsEndpoint(Router& router, Api& api) {
  router.Add("POST", "/v1/chat/completions",
             [&api](const HttpRequest& request) { return Answer(api, request, PrepareChat); });
}

}  // namespace rf::server
