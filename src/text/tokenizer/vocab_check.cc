#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "base/utf8.h"
#include "text/tokenizer/tables.h"

namespace rf {
namespace {

constexpr size_t kMaxTokens = size_t{1} << 24;
constexpr size_t kMaxTokenBytes = size_t{1} << 16;
constexpr size_t kMaxVocabBytes = size_t{1} << 31;

Error Corrupt(std::string message) {
  return Error{ErrorCode::kCorruptFile, std::move(message), {}};
}

Status CheckSizes(const VocabData& data) {
  const size_t n = data.tokens.size();
  if (n == 0) return Corrupt("tokenizer.ggml.tokens is missing or empty");
  if (n > kMaxTokens) return Corrupt(fmt::format("tokenizer.ggml.tokens has {} entries (max {})", n, kMaxTokens));
  if (!data.scores.empty() && data.scores.size() != n) {
    return Corrupt(fmt::format("tokenizer.ggml.scores has {} entries for {} tokens", data.scores.size(), n));
  }
  if (!data.types.empty() && data.types.size() != n) {
    return Corrupt(fmt::format("tokenizer.ggml.token_type has {} entries for {} tokens", data.types.size(), n));
  }
  return {};
}

Status CheckIds(const VocabData& data) {
  const std::pair<const char*, std::optional<TokenId>> named[] = {
      {"bos", data.bos}, {"eos", data.eos},   {"unknown", data.unk}, {"seperator", data.sep}, {"padding", data.pad},
      {"cls", data.cls}, {"mask", data.mask}, {"eot", data.eot},     {"eom", data.eom}};
  const auto is_outside = [&data](TokenId id) { return id < 0 || static_cast<size_t>(id) >= data.tokens.size(); };
  for (const auto& [name, id] : named) {
    if (id && is_outside(*id)) {
      return Corrupt(fmt::format("tokenizer.ggml.{}_token_id {} outside vocabulary of {}", name,
                                 static_cast<uint32_t>(*id), data.tokens.size()));
    }
  }
  for (size_t i = 0; i < data.eog.size(); ++i) {
    if (!is_outside(data.eog[i])) continue;
    return Corrupt(fmt::format("end-of-generation id #{} is {}, outside vocabulary of {}", i,
                               static_cast<uint32_t>(data.eog[i]), data.tokens.size()));
  }
  if (data.add_bos.value_or(false) && !data.bos) {
    return Corrupt("tokenizer.ggml.add_bos_token is true, but tokenizer.ggml.bos_token_id is missing");
  }
  if (data.add_eos.value_or(false) && !data.eos) {
    return Corrupt("tokenizer.ggml.add_eos_token is true, but tokenizer.ggml.eos_token_id is missing");
  }
  return {};
}

Status CheckTokens(const VocabData& data) {
  size_t total = 0;
  for (size_t i = 0; i < data.tokens.size(); ++i) {
    const std::string& text = data.tokens[i];
    if (text.size() > kMaxTokenBytes) {
      return Corrupt(fmt::format("tokenizer.ggml.tokens[{}] '{}' is {} bytes long (max {})", i,
                                 EscapeForMessage(std::string_view(text).substr(0, 64), 32), text.size(),
                                 kMaxTokenBytes));
    }
    total += text.size();
    if (!data.types.empty() && data.types[i] == static_cast<int32_t>(TokenType::kByte) && ParseByteToken(text) < 0) {
      return Corrupt(fmt::format("tokenizer.ggml.tokens[{}] '{}' is a byte token, but not one of <0x00> to <0xFF>", i,
                                 EscapeForMessage(text, 32)));
    }
  }
  if (total > kMaxVocabBytes) {
    return Corrupt(fmt::format("tokenizer.ggml.tokens holds {} bytes of text (max {})", total, kMaxVocabBytes));
  }
  for (size_t i = 0; i < data.scores.size(); ++i) {
    if (std::isnan(data.scores[i])) return Corrupt(fmt::format("tokenizer.ggml.scores[{}] is not a number", i));
  }
  return {};
}

// Texts that end a turn in the chat formats of published models. "</s>" is apart: it is also HTML.
constexpr std::string_view kEndOfTurn[] = {"<EOT>",
                                           "<end_of_turn>",
                                           "<end_of_utterance>",
                                           "<eos>",
                                           "<turn|>",
                                           "<|call|>",
                                           "<|calls|>",
                                           "<|end_of_text|>",
                                           "<|end|>",
                                           "<|endoftext|>",
                                           "<|eom_id|>",
                                           "<|eot_id|>",
                                           "<|flush|>",
                                           "<|im_end|>",
                                           "<|return|>",
                                           "<|tool_response>",
                                           "<｜end▁of▁sentence｜>",
                                           "[EOS]",
                                           "[EOT]",
                                           "[e~[",
                                           "_<EOT>"};

// Markers between files and paddings of code models: they end a generation only where they are control tokens.
constexpr std::string_view kEndOfFile[] = {"</s>",        "<PAD>",        "<REPO>",        "<fim-pad>",
                                           "<fim-repo>",  "<fim_pad>",    "<reponame>",    "<|file_sep|>",
                                           "<|fim_pad|>", "<|fim_repo|>", "<|repo_name|>", "[PAD]"};

template <size_t kSize>
bool IsOneOf(std::string_view text, const std::string_view (&names)[kSize]) {
  if (text.size() < 4 || text.size() > 32 || (text[0] != '<' && text[0] != '[' && text[0] != '_')) return false;
  return std::find(std::begin(names), std::end(names), text) != std::end(names);
}

}  // namespace

int ParseByteToken(std::string_view text) {
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return -1;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  const int high = digit(text[3]), low = digit(text[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

Status CheckVocab(const VocabData& data) {
  RF_RETURN_IF_ERROR(CheckSizes(data));
  RF_RETURN_IF_ERROR(CheckIds(data));
  return CheckTokens(data);
}

std::vector<TokenType> ResolveTypes(const VocabData& data) {
  std::vector<TokenType> types(data.tokens.size(), TokenType::kNormal);
  for (size_t i = 0; i < data.types.size(); ++i) {
    const int32_t type = data.types[i];
    types[i] = type >= 0 && type <= 6 ? static_cast<TokenType>(type) : TokenType::kUndefined;
  }
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] == TokenType::kControl || !IsOneOf(data.tokens[i], kEndOfTurn)) continue;
    Log(LogLevel::kWarning, fmt::format("tokenizer.ggml.tokens[{}] '{}' ends turns, but is not a control token in the "
                                        "file; taken as one",
                                        i, EscapeForMessage(data.tokens[i], 32)));
    types[i] = TokenType::kControl;
  }
  return types;
}

std::vector<TokenId> FindEndOfGeneration(const VocabData& data, const std::vector<TokenType>& types) {
  std::vector<TokenId> ids = data.eog;
  for (const auto& id : {data.eos, data.eot, data.eom}) {
    if (id) ids.push_back(*id);
  }
  std::optional<TokenId> end;
  bool has_return = false, has_call = false, has_flush = false;
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] != TokenType::kControl) continue;
    const std::string& text = data.tokens[i];
    if (!IsOneOf(text, kEndOfTurn) && !IsOneOf(text, kEndOfFile)) continue;
    const auto id = static_cast<TokenId>(i);
    has_return |= text == "<|return|>";
    has_call |= text == "<|call|>" || text == "<|calls|>";
    has_flush |= text == "<|flush|>";
    if (text == "<|end|>") {
      end = id;
    } else {
      ids.push_back(id);
    }
  }
  // In the formats with these tokens "<|end|>" ends one message of several; elsewhere it ends the turn.
  const bool is_end_of_message = has_call && (has_return || has_flush);
  if (end && !is_end_of_message) ids.push_back(*end);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace rf
