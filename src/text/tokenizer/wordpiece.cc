// WordPiece ("bert"): a text is cleaned and cut into words, and each word into the longest tokens from its front; a
// word for which that fails is one unknown token. Source: Schuster and Nakajima 2012; google-research/bert, whose
// limits are those of Hugging Face's tokenizers.
//
// In the vocabulary the token that begins a word has U+2581 in front (where BERT's own list has nothing), the token
// that continues one is written as it is (where BERT has "##").
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "text/tokenizer/bert_text.h"
#include "text/tokenizer/byte_trie.h"
#include "text/tokenizer/space_sign.h"
#include "text/tokenizer/tables.h"

namespace rf {
namespace {

constexpr size_t kMaxWordCharacters = 100;

class WordPiece final : public Tokenizer {
 public:
  explicit WordPiece(VocabData data) : Tokenizer(std::move(data)) {}
  Status Build();

 protected:
  bool Normalize(std::string_view, std::string&) const override { return false; }
  void EncodeText(std::string_view text, bool after_special, EncodeScratch& scratch,
                  std::vector<TokenId>& ids) const override;

 private:
  std::optional<TokenId> FindSpecial(const std::optional<TokenId>& named, std::string_view text) const;
  void BuildPieces();
  void EncodeWord(std::string_view word, std::vector<TokenId>& ids) const;

  BertTextRules rules_;
  ByteTrie beginnings_, continuations_;
  TokenId unknown_ = 0;
};

// The id that the file names, else that of the token with the usual text.
std::optional<TokenId> WordPiece::FindSpecial(const std::optional<TokenId>& named, std::string_view text) const {
  if (named) return named;
  const auto found = std::find(data_.tokens.begin(), data_.tokens.end(), text);
  if (found == data_.tokens.end()) return std::nullopt;
  return static_cast<TokenId>(found - data_.tokens.begin());
}

Status WordPiece::Build() {
  tables_->types = ResolveTypes(data_);
  data_.bos = FindSpecial(data_.bos ? data_.bos : data_.cls, "[CLS]");
  data_.sep = FindSpecial(data_.sep, "[SEP]");
  data_.unk = FindSpecial(data_.unk, "[UNK]");
  if (!data_.unk) {
    return Error{ErrorCode::kCorruptFile, "tokenizer.ggml.unknown_token_id is missing; model 'bert' needs it", {}};
  }
  unknown_ = *data_.unk;
  rules_.lowercase = data_.lowercase.value_or(true);
  rules_.strip_accents = data_.strip_accents.value_or(rules_.lowercase);
  BuildPieces();
  if (data_.add_bos.value_or(true)) tables_->first = data_.bos;
  if (data_.add_sep.value_or(true)) tables_->last = data_.sep;
  tables_->clean_spaces = true;
  tables_->end_of_generation = FindEndOfGeneration(data_, tables_->types);
  return {};
}

void WordPiece::BuildPieces() {
  std::vector<std::pair<std::string_view, int32_t>> beginnings, continuations;
  std::string replaced;
  for (size_t i = 0; i < data_.tokens.size(); ++i) {
    const std::string_view text = data_.tokens[i];
    const auto id = static_cast<TokenId>(i);
    switch (tables_->types[i]) {
      case TokenType::kNormal:
        if (text.starts_with(kSpaceSign)) {
          if (IsMatchable(text)) beginnings.emplace_back(text.substr(kSpaceSign.size()), id);
        } else if (IsMatchable(text)) {
          continuations.emplace_back(text, id);
        }
        tables_->pieces.Add(ReplaceSpaceSigns(text, replaced) ? std::string_view(replaced) : text);
        continue;
      case TokenType::kUserDefined: tables_->user_defined.Add(text, id); [[fallthrough]];
      case TokenType::kControl:
      case TokenType::kUnknown: tables_->all_special.Add(text, id); [[fallthrough]];
      default: tables_->pieces.Add(text);
    }
  }
  beginnings_.Build(std::move(beginnings));
  continuations_.Build(std::move(continuations));
}

void WordPiece::EncodeText(std::string_view text, bool /*after_special*/, EncodeScratch& scratch,
                           std::vector<TokenId>& ids) const {
  WriteBertWords(text, rules_, scratch.text);
  const std::string_view words = scratch.text;
  const char* const text_end = words.data() + words.size();
  for (size_t begin = 0; begin < words.size();) {
    if (words[begin] == ' ') {
      ++begin;
      continue;
    }
    const std::string_view word = words.substr(begin, words.find(' ', begin) - begin);
    begin += word.size();
    scratch.cache.Append(word.data(), word.size(), text_end, ids, [&] { EncodeWord(word, ids); });
  }
}

void WordPiece::EncodeWord(std::string_view word, std::vector<TokenId>& ids) const {
  const size_t n_before = ids.size();
  const auto n_characters = std::count_if(word.begin(), word.end(), [](char c) { return (c & 0xC0) != 0x80; });
  const char* const end = word.data() + word.size();
  const char* p = static_cast<size_t>(n_characters) > kMaxWordCharacters ? nullptr : word.data();
  while (p != nullptr && p != end) {
    const ByteTrie::Match match = (p == word.data() ? beginnings_ : continuations_).FindLongest(p, end);
    p = match.length > 0 ? p + match.length : nullptr;
    ids.push_back(match.value);
  }
  if (p != nullptr) return;
  ids.resize(n_before);
  ids.push_back(unknown_);
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> CreateWordPiece(VocabData data) {
  auto tokenizer = std::make_unique<WordPiece>(std::move(data));
  RF_RETURN_IF_ERROR(tokenizer->Build());
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

}  // namespace rf
