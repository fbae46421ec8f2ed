// RWKV World ("rwkv"): at each place the longest token that the text begins with, over bytes. Source: the published
// tokenizer of the RWKV World models (rwkv_tokenizer in BlinkDL/ChatRWKV).
//
// Token texts are written as Python's repr of bytes: \t \n \r \xHH and a backslash before other characters.
#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "text/tokenizer/byte_trie.h"
#include "text/tokenizer/tables.h"

namespace rf {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    const int high = c == 'x' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
    }
  }
  return out;
}

class Rwkv final : public Tokenizer {
 public:
  explicit Rwkv(VocabData data) : Tokenizer(std::move(data)) {}

  void Build() {
    tables_->types = ResolveTypes(data_);
    const auto n = static_cast<TokenId>(data_.tokens.size());
    for (TokenId id = 0; id < n; ++id) {
      const std::string& text = data_.tokens[static_cast<size_t>(id)];
      tables_->pieces.Add(tables_->types[static_cast<size_t>(id)] == TokenType::kNormal ? Unescape(text) : text);
    }
    std::vector<std::pair<std::string_view, int32_t>> keys;
    for (TokenId id = 0; id < n; ++id) {
      const std::string_view piece = tables_->pieces[id];
      switch (tables_->types[static_cast<size_t>(id)]) {
        case TokenType::kControl:
        case TokenType::kUnknown: tables_->all_special.Add(piece, id); break;
        case TokenType::kUserDefined:
          tables_->all_special.Add(piece, id);
          tables_->user_defined.Add(piece, id);
          break;
        case TokenType::kNormal:
          if (IsMatchable(piece)) keys.emplace_back(piece, id);
          break;
        default: break;
      }
    }
    trie_.Build(std::move(keys));
    if (data_.bos && data_.add_bos.value_or(false)) tables_->first = data_.bos;
    if (data_.eos && data_.add_eos.value_or(false)) tables_->last = data_.eos;
    tables_->end_of_generation = FindEndOfGeneration(data_, tables_->types);
  }

 protected:
  bool Normalize(std::string_view, std::string&) const override { return false; }

  void EncodeText(std::string_view text, bool /*after_special*/, EncodeScratch&,
                  std::vector<TokenId>& ids) const override {
    const char* const end = text.data() + text.size();
    for (const char* p = text.data(); p != end;) {
      const ByteTrie::Match match = trie_.FindLongest(p, end);
      if (match.length > 0) {
        ids.push_back(match.value);
      } else if (data_.unk) {
        ids.push_back(*data_.unk);  // a byte that the vocabulary lacks
      }
      p += match.length > 0 ? match.length : 1;
    }
  }

 private:
  ByteTrie trie_;
};

}  // namespace

Result<std::unique_ptr<Tokenizer>> CreateRwkv(VocabData data) {
  auto tokenizer = std::make_unique<Rwkv>(std::move(data));
  tokenizer->Build();
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

}  // namespace rf
