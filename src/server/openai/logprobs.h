// Log-probabilities in the shapes of OpenAI's API. Minus infinity is written as -9999.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "server/openai/choice_text.h"
#include "text/tokenizer/tokenizer.h"

namespace rf::server {

/// Chat: {"content": [{"token", "logprob", "bytes", "top_logprobs": [{"token", "logprob", "bytes"}]}], "refusal":
/// null}.
nlohmann::ordered_json ChatLogprobs(const Tokenizer& tokenizer, const std::vector<TextToken>& tokens);

/// Completions: {"tokens", "token_logprobs", "top_logprobs", "text_offset"}, for tokens that are added one by one.
class CompletionLogprobs {
 public:
  explicit CompletionLogprobs(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  /// `text_offset` counts characters of the choice's whole text, an echoed prompt included.
  void Add(const GeneratedToken& token, size_t text_offset);
  /// The first token of a prompt, which has no log-probability.
  void AddFirst(TokenId id);
  nlohmann::ordered_json ToJson() const;

 private:
  const Tokenizer& tokenizer_;
  nlohmann::ordered_json tokens_ = nlohmann::ordered_json::array();
  nlohmann::ordered_json logprobs_ = nlohmann::ordered_json::array();
  nlohmann::ordered_json top_ = nlohmann::ordered_json::array();
  nlohmann::ordered_json offsets_ = nlohmann::ordered_json::array();
};

}  // namespace rf::server
