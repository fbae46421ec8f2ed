// POST /v1/completions.
#include <memory>
#include <utility>
#include <vector>

#include "server/openai/answer.h"
#include "server/openai/completion_request.h"
#include "server/openai/logprobs.h"

namespace rf::server {
namespace {

// What is given back of a prompt, and how far its log-probabilities are.
struct Echo {
  std::string text;
  TokenId first_token;
  StreamingDecoder decoder;
  size_t n_characters = 0;
};

class CompletionFormat final : public AnswerFormat {
 public:
  CompletionFormat(const Tokenizer& tokenizer, bool wants_logprobs)
      : tokenizer_(tokenizer), wants_logprobs_(wants_logprobs) {}

  /// For the next choice.
  void AddEcho(std::string text, TokenId first_token) {
    echos_.push_back({std::move(text), first_token, StreamingDecoder(tokenizer_, /*is_start_of_text=*/true)});
  }

  const char* id_prefix() const override { return "cmpl-"; }
  const char* object() const override { return "text_completion"; }
  const char* chunk_object() const override { return "text_completion"; }
  const char* prompt_field() const override { return "prompt"; }

  Json Choice(size_t index, const ChoiceUpdate& update) override {
    CompletionLogprobs logprobs(tokenizer_);
    if (!echos_.empty()) AddFirst(index, logprobs);
    AddRest(index, update, logprobs);
    return Part(index, EchoText(index) + update.piece.text, logprobs, FinishReasonName(update));
  }
  Json FirstDelta(size_t index) override {
    if (echos_.empty()) return nullptr;
    CompletionLogprobs logprobs(tokenizer_);
    AddFirst(index, logprobs);
    return Part(index, EchoText(index), logprobs, nullptr);
  }
  std::vector<Json> Deltas(size_t index, const ChoiceUpdate& update) override {
    if (update.piece.text.empty() && update.piece.tokens.empty() && update.prompt_tokens.empty()) return {};
    CompletionLogprobs logprobs(tokenizer_);
    AddRest(index, update, logprobs);
    return {Part(index, update.piece.text, logprobs, nullptr)};
  }
  Json LastDelta(size_t index, const ChoiceUpdate& update) override {
    return {{"index", index}, {"text", ""}, {"logprobs", nullptr}, {"finish_reason", FinishReasonName(update)}};
  }

 private:
  std::string EchoText(size_t index) const { return echos_.empty() ? "" : echos_[index].text; }

  void AddFirst(size_t index, CompletionLogprobs& logprobs) {
    Echo& echo = echos_[index];
    echo.n_characters = CountCharacters(echo.decoder.Add(echo.first_token));
    logprobs.AddFirst(echo.first_token);
  }

  void AddRest(size_t index, const ChoiceUpdate& update, CompletionLogprobs& logprobs) {
    for (const GeneratedToken& token : update.prompt_tokens) {
      Echo& echo = echos_[index];
      logprobs.Add(token, echo.n_characters);
      echo.n_characters += CountCharacters(echo.decoder.Add(token.id));
    }
    const size_t begin = CountCharacters(EchoText(index));
    for (const TextToken& token : update.piece.tokens) logprobs.Add(token.token, begin + token.character_offset);
  }

  Json Part(size_t index, std::string text, const CompletionLogprobs& logprobs, Json finish_reason) const {
    return {{"index", index},
            {"text", std::move(text)},
            {"logprobs", wants_logprobs_ ? logprobs.ToJson() : Json(nullptr)},
            {"finish_reason", std::move(finish_reason)}};
  }

  const Tokenizer& tokenizer_;
  bool wants_logprobs_;
  std::vector<Echo> echos_;  // one for each choice, or none
};

std::vector<TokenId> Encode(const Tokenizer& tokenizer, const CompletionPrompt& prompt, bool parse_special) {
  if (const auto* ids = std::get_if<std::vector<TokenId>>(&prompt)) return *ids;
  EncodeOptions options;
  options.parse_special = parse_special;
  return tokenizer.Encode(std::get<std::string>(prompt), options);
}

std::string EchoText(const Tokenizer& tokenizer, const CompletionPrompt& prompt) {
  if (const auto* text = std::get_if<std::string>(&prompt)) return *text;
  DecodeOptions options;
  options.clean_spaces = false;
  return tokenizer.Decode(std::get<std::vector<TokenId>>(prompt), options);
}

Result<PreparedRequest> PrepareCompletion(const nlohmann::ordered_json& body, const Api& api) {
  const Tokenizer& tokenizer = *api.session().tokenizer;
  Fields fields(body);
  CompletionRequest request = ReadCompletionRequest(fields, tokenizer.size());
  RF_RETURN_IF_ERROR(fields.Finish());
  RF_RETURN_IF_ERROR(api.CheckModel(request.params.model));
  PreparedRequest prepared;
  const bool wants_logprobs = request.params.n_top_logprobs >= 0;
  auto format = std::make_shared<CompletionFormat>(tokenizer, wants_logprobs);
  for (const CompletionPrompt& prompt : request.prompts) {
    std::vector<TokenId> ids = Encode(tokenizer, prompt, request.parse_special);
    if (ids.empty()) return Error{ErrorCode::kInvalidArgument, "the prompt is empty", "prompt"};
    for (int32_t i = 0; request.echo && i < request.params.n; ++i) format->AddEcho(EchoText(tokenizer, prompt), ids[0]);
    prepared.job.prompts.push_back(std::move(ids));
  }
  prepared.job.wants_prompt_logprobs = request.echo && wants_logprobs;
  prepared.format = std::move(format);
  prepared.params = std::move(request.params);
  return prepared;
}

}  // namespace

void AddCompletionsEndpoint(Router& router, Api& api) {
  router.Add("POST", "/v1/completions",
             [&api](const HttpRequest& request) { return Answer(api, request, PrepareCompletion); });
}

}  // namespace rf::server
