// POST /v1/chat/completions.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"
#include "server/openai/answer.h"
#include "server/openai/chat_request.h"
#include "server/openai/logprobs.h"
#include "server/openai/response_format.h"

namespace rf::server {
namespace {

class ChatFormat final : public AnswerFormat {
 public:
  ChatFormat(const Tokenizer& tokenizer, bool wants_logprobs)
      : tokenizer_(tokenizer), wants_logprobs_(wants_logprobs) {}

  const char* id_prefix() const override { return "chatcmpl-"; }
  const char* object() const override { return "chat.completion"; }
  const char* chunk_object() const override { return "chat.completion.chunk"; }
  const char* prompt_field() const override { return "messages"; }

  Json Choice(size_t index, const ChoiceUpdate& update) override {
    return {{"index", index},
            {"message", {{"role", "assistant"}, {"content", update.piece.text}, {"refusal", nullptr}}},
            {"logprobs", Logprobs(update)},
            {"finish_reason", FinishReasonName(update)}};
  }
  Json FirstDelta(size_t index) override {
    return Part(index, {{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}}, nullptr, nullptr);
  }
  Json Delta(size_t index, const ChoiceUpdate& update) override {
    return Part(index, {{"content", update.piece.text}}, Logprobs(update), nullptr);
  }
  Json LastDelta(size_t index, const char* finish_reason) override {
    return Part(index, Json::object(), nullptr, finish_reason);
  }

 private:
  static Json Part(size_t index, Json delta, Json logprobs, Json finish_reason) {
    return {{"index", index},
            {"delta", std::move(delta)},
            {"logprobs", std::move(logprobs)},
            {"finish_reason", std::move(finish_reason)}};
  }
  Json Logprobs(const ChoiceUpdate& update) const {
    return wants_logprobs_ ? ChatLogprobs(tokenizer_, update.piece.tokens) : Json(nullptr);
  }

  const Tokenizer& tokenizer_;
  bool wants_logprobs_;
};

Result<PreparedRequest> PrepareChat(const nlohmann::ordered_json& body, const Api& api) {
  const ModelSession& session = api.session();
  Fields fields(body);
  ChatRequest request = ReadChatRequest(fields, session.tokenizer->size());
  RF_RETURN_IF_ERROR(fields.Finish());
  RF_RETURN_IF_ERROR(api.CheckModel(request.params.model));
  PreparedRequest prepared;
  auto prompt = session.EncodeChat(request.input);
  if (!prompt) {
    Error error = std::move(prompt).error();
    if (error.where.empty()) error.where = "messages";
    return error;
  }
  prepared.job.prompts.push_back(std::move(*prompt));
  prepared.job.is_chat = true;
  RF_ASSIGN_OR_RETURN(prepared.job.grammar, CompileResponseFormat(request.format, *session.grammars));
  prepared.format = std::make_shared<ChatFormat>(*session.tokenizer, request.params.n_top_logprobs >= 0);
  prepared.params = std::move(request.params);
  return prepared;
}

}  // namespace

void AddChatCompletionsEndpoint(Router& router, Api& api) {
  router.Add("POST", "/v1/chat/completions",
             [&api](const HttpRequest& request) { return Answer(api, request, PrepareChat); });
}

}  // namespace rf::server
