#include "server/openai/logprobs.h"

#include <string>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr float kLeastLogprob = -9999.0f;  // JSON has no infinity

float Finite(float logprob) {
  return logprob >= kLeastLogprob ? logprob : kLeastLogprob;
}

Json Entry(const Tokenizer& tokenizer, TokenId id, float logprob) {
  const std::string piece = tokenizer.Piece(id, /*unparse_special=*/true);
  Json bytes = Json::array();
  for (const char c : piece) bytes.push_back(static_cast<unsigned char>(c));
  return {{"token", ReplaceInvalidUtf8(piece)}, {"logprob", Finite(logprob)}, {"bytes", bytes}};
}

// A token's text; for one that is part of a character "bytes:\xe2\x82", as OpenAI has it.
std::string TokenName(const Tokenizer& tokenizer, TokenId id) {
  std::string piece = tokenizer.Piece(id, /*unparse_special=*/true);
  if (IsValidUtf8(piece)) return piece;
  std::string name = "bytes:";
  for (const char c : piece) name += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return name;
}

}  // namespace

Json ChatLogprobs(const Tokenizer& tokenizer, const std::vector<TextToken>& tokens) {
  Json content = Json::array();
  for (const TextToken& text_token : tokens) {
    const GeneratedToken& token = text_token.token;
    Json entry = Entry(tokenizer, token.id, token.logprob);
    entry["top_logprobs"] = Json::array();
    for (const TokenLogprob& top : token.top) {
      entry["top_logprobs"].push_back(Entry(tokenizer, top.id, top.logprob));
    }
    content.push_back(std::move(entry));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

void CompletionLogprobs::Add(const GeneratedToken& token, size_t text_offset) {
  tokens_.push_back(TokenName(tokenizer_, token.id));
  logprobs_.push_back(Finite(token.logprob));
  Json top = Json::object();
  for (const TokenLogprob& candidate : token.top) top[TokenName(tokenizer_, candidate.id)] = Finite(candidate.logprob);
  top_.push_back(std::move(top));
  offsets_.push_back(text_offset);
}

void CompletionLogprobs::AddFirst(TokenId id) {
  tokens_.push_back(TokenName(tokenizer_, id));
  logprobs_.push_back(nullptr);
  top_.push_back(nullptr);
  offsets_.push_back(0);
}

Json CompletionLogprobs::ToJson() const {
  return {{"tokens", tokens_}, {"token_logprobs", logprobs_}, {"top_logprobs", top_}, {"text_offset", offsets_}};
}

}  // namespace rf::server
