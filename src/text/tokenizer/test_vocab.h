// Small vocabularies for the unit tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "text/tokenizer/tokenizer.h"

namespace rf::test_vocab {

/// A byte in GPT-2's alphabet of printable characters.
inline std::string ByteCharacter(unsigned byte) {
  unsigned code = byte, next = 0x100;
  for (unsigned b = 0; b <= byte; ++b) {
    const bool is_printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
    if (!is_printable) code = next++;
    if (is_printable) code = b;
  }
  std::string out;
  AppendUtf8(out, code);
  return out;
}

inline std::string InByteAlphabet(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) out += ByteCharacter(static_cast<uint8_t>(c));
  return out;
}

inline void AddToken(VocabData& data, const std::string& text, TokenType type = TokenType::kNormal, float score = 0) {
  data.tokens.push_back(text);
  data.types.push_back(static_cast<int32_t>(type));
  if (data.model == "llama" || data.model == "plamo2") data.scores.push_back(score);
}

/// Byte-level BPE: ids 0 to 255 are the bytes, then one token for each merge of `pairs` (raw bytes), then "<|end|>".
inline VocabData ByteLevel(const std::string& pre, const std::vector<std::pair<std::string, std::string>>& pairs) {
  VocabData data;
  data.model = "gpt2";
  data.pre = pre;
  for (unsigned byte = 0; byte < 256; ++byte) AddToken(data, ByteCharacter(byte));
  for (const auto& [left, right] : pairs) {
    AddToken(data, InByteAlphabet(left + right));
    data.merges.push_back(InByteAlphabet(left) + " " + InByteAlphabet(right));
  }
  AddToken(data, "<|end|>", TokenType::kControl);
  return data;
}

/// Ids 0 to 2 are <unk>, <s>, </s>, then 256 byte tokens, then `pieces` with their scores, where the model has scores.
inline VocabData WithByteTokens(const std::string& model, const std::vector<std::pair<std::string, float>>& pieces) {
  VocabData data;
  data.model = model;
  AddToken(data, "<unk>", TokenType::kUnknown);
  AddToken(data, "<s>", TokenType::kControl);
  AddToken(data, "</s>", TokenType::kControl);
  for (unsigned byte = 0; byte < 256; ++byte) {
    char text[8];
    snprintf(text, sizeof(text), "<0x%02X>", byte);
    AddToken(data, text, TokenType::kByte);
  }
  for (const auto& [text, score] : pieces) AddToken(data, text, TokenType::kNormal, score);
  data.bos = 1;
  data.eos = 2;
  data.unk = 0;
  return data;
}
constexpr TokenId kFirstPiece = 259;
/// And of its byte tokens.
constexpr TokenId kByte0 = 3;
/// Texts without the tokens that a model puts around them.
constexpr EncodeOptions kPlain{.add_special = false};

/// SentencePiece; `pieces` with U+2581 for a space.
inline VocabData SentencePiece(const std::vector<std::pair<std::string, float>>& pieces) {
  return WithByteTokens("llama", pieces);
}

/// BPE over raw text: `pieces`, then one token for each merge of `pairs`, with U+2581 for a space.
inline VocabData RawText(const std::string& pre, const std::vector<std::string>& pieces,
                         const std::vector<std::pair<std::string, std::string>>& pairs) {
  VocabData data = WithByteTokens("gpt2", {});
  data.pre = pre;
  for (const std::string& piece : pieces) AddToken(data, piece);
  for (const auto& [left, right] : pairs) {
    AddToken(data, left + right);
    data.merges.push_back(left + " " + right);
  }
  return data;
}

inline std::unique_ptr<Tokenizer> MakeTokenizer(VocabData data) {
  auto tokenizer = Tokenizer::Create(std::move(data));
  EXPECT_TRUE(tokenizer) << tokenizer.error().ToString();
  return tokenizer ? std::move(*tokenizer) : nullptr;
}

}  // namespace rf::test_vocab
