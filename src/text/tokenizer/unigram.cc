// SentencePiece's Unigram ("t5"): of all ways to cut the text into tokens the one whose scores (log-probabilities) have
// the greatest sum, found in one pass (Viterbi). Source: Kudo 2018 (arXiv:1804.10959); sentencepiece's unigram_model
// and normalizer, whose arithmetic in 32 bits is followed so that near ties fall alike.
//
// Token texts carry U+2581 for a space. Here all text is kept with the plain space instead.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/log.h"
#include "base/utf8.h"
#include "text/tokenizer/byte_trie.h"
#include "text/tokenizer/char_map.h"
#include "text/tokenizer/pieces.h"
#include "text/tokenizer/space_sign.h"
#include "text/tokenizer/tables.h"

namespace rf {
namespace {

constexpr float kUnknownPenalty = 10.0f;
constexpr float kRestartScore = -65536.0f;

class Unigram final : public Tokenizer {
 public:
  explicit Unigram(VocabData data) : Tokenizer(std::move(data)) {}
  Status Build();

 protected:
  bool Normalize(std::string_view, std::string&) const override { return false; }
  void EncodeText(std::string_view text, bool after_special, EncodeScratch& scratch,
                  std::vector<TokenId>& ids) const override;

 private:
  // The best way to cut the text up to some place: the token that ends there, where it begins, the sum.
  struct Cut {
    float score = 0;
    int32_t begin = -1;  // -1: no token ends here
    TokenId id = -1;     // -1: a character that is no token
  };

  void BuildLookup();
  void SetDefaults();
  void NormalizeText(std::string_view text, std::string& out) const;
  std::string_view NormalizePrefix(const char* p, const char* end, size_t& length) const;
  void FindCuts(std::string_view text, std::vector<Cut>& cuts) const;
  void AppendUnknown(std::string_view character, std::vector<TokenId>& ids) const;

  CharMap char_map_;
  ByteTrie tokens_;        // normal and user-defined ones
  ByteTrie user_defined_;  // stay as they are in normalization
  std::vector<float> scores_;
  float unknown_score_ = 0;
  std::array<TokenId, 256> byte_tokens_;
  bool has_byte_tokens_ = false;
  bool collapses_spaces_ = false;
};

Status Unigram::Build() {
  RF_ASSIGN_OR_RETURN(char_map_, CharMap::Parse(data_.precompiled_charsmap));
  tables_->types = ResolveTypes(data_);
  SetDefaults();
  AddPieces(data_, SpaceSigns::kInNormal, *tables_);
  BuildLookup();
  tables_->add_space_prefix = data_.add_space_prefix.value_or(true);
  collapses_spaces_ = data_.remove_extra_whitespaces.value_or(true);
  if (data_.bos && data_.add_bos.value_or(false)) tables_->first = data_.bos;
  if (data_.eos && data_.add_eos.value_or(true)) tables_->last = data_.eos;
  tables_->end_of_generation = FindEndOfGeneration(data_, tables_->types);
  return {};
}

// Old files leave out the ids that T5's vocabulary has had from the beginning.
void Unigram::SetDefaults() {
  const auto is_token = [this](size_t id, std::string_view text) {
    return data_.tokens.size() > id && data_.tokens[id] == text;
  };
  if (!data_.pad && is_token(0, "<pad>")) data_.pad = 0;
  if (!data_.eos && is_token(1, "</s>")) data_.eos = 1;
  if (!data_.unk && is_token(2, "<unk>")) data_.unk = 2;
}

void Unigram::BuildLookup() {
  byte_tokens_.fill(-1);
  scores_.assign(data_.scores.begin(), data_.scores.end());
  float lowest = std::numeric_limits<float>::max(), highest = std::numeric_limits<float>::lowest();
  for (size_t i = 0; i < data_.scores.size(); ++i) {
    if (tables_->types[i] != TokenType::kNormal) continue;
    lowest = std::min(lowest, data_.scores[i]);
    highest = std::max(highest, data_.scores[i]);
  }
  unknown_score_ = lowest - kUnknownPenalty;
  std::vector<std::string> spelled(data_.tokens.size());  // with plain spaces
  std::vector<std::pair<std::string_view, int32_t>> keys, user_defined;
  for (size_t i = 0; i < data_.tokens.size(); ++i) {
    const std::string& text = data_.tokens[i];
    const auto id = static_cast<TokenId>(i);
    if (!ReplaceSpaceSigns(text, spelled[i])) spelled[i] = text;
    switch (tables_->types[i]) {
      case TokenType::kUserDefined:
        // So much better than other tokens that it is always chosen.
        scores_[i] = static_cast<float>(text.size()) * highest - 0.1f;
        user_defined.emplace_back(text, id);
        [[fallthrough]];
      case TokenType::kNormal:
        if (IsMatchable(spelled[i])) keys.emplace_back(spelled[i], id);
        break;
      case TokenType::kByte:
        byte_tokens_[static_cast<size_t>(ParseByteToken(text))] = id;
        has_byte_tokens_ = true;
        break;
      case TokenType::kControl:
      case TokenType::kUnknown: tables_->all_special.Add(text, id); break;
      default: break;
    }
  }
  tokens_.Build(std::move(keys));
  user_defined_.Build(std::move(user_defined));
}

// What the front of the text becomes; `length`: how many bytes of it.
std::string_view Unigram::NormalizePrefix(const char* p, const char* end, size_t& length) const {
  if (length = user_defined_.FindLongest(p, end).length; length > 0) return {p, length};
  if (const CharMap::Rule rule = char_map_.Find(p, end); rule.length > 0) {
    length = rule.length;
    return rule.replacement;
  }
  const Utf8Step step = DecodeUtf8(p, end);
  length = step.valid ? step.length : 1;
  return step.valid ? std::string_view(p, length) : kReplacementUtf8;
}

void Unigram::NormalizeText(std::string_view text, std::string& out) const {
  out.clear();
  if (tables_->add_space_prefix) out += ' ';
  const size_t prefix = out.size();
  bool after_space = collapses_spaces_;
  const char* const end = text.data() + text.size();
  std::string replaced;
  for (const char* p = text.data(); p != end;) {
    size_t length = 0;
    std::string_view piece = NormalizePrefix(p, end, length);
    p += length;
    while (after_space && !piece.empty() && piece.front() == ' ') piece.remove_prefix(1);
    if (piece.empty()) continue;
    after_space = collapses_spaces_ && piece.back() == ' ';
    out += ReplaceSpaceSigns(piece, replaced) ? std::string_view(replaced) : piece;
  }
  if (!collapses_spaces_) return;
  while (out.size() > prefix && out.back() == ' ') out.pop_back();
  if (out.size() == prefix) out.clear();
}

void Unigram::FindCuts(std::string_view text, std::vector<Cut>& cuts) const {
  cuts.assign(text.size() + 1, Cut{});
  cuts[0].begin = 0;
  size_t furthest = 0;  // where tokens reach so far
  const auto offer = [&](size_t begin, size_t end, TokenId id, float score) {
    furthest = std::max(furthest, end);
    Cut& cut = cuts[end];
    if (cut.begin < 0 || score > cut.score) cut = {score, static_cast<int32_t>(begin), id};
  };
  for (size_t begin = 0; begin < text.size();) {
    // A long text's sum outgrows the precision. Where all ways to cut it meet, only what follows matters.
    if (begin == furthest && cuts[begin].score < kRestartScore) cuts[begin].score = 0;
    const float so_far = cuts[begin].score;
    const size_t character = DecodeUtf8(text.data() + begin, text.data() + text.size()).length;
    bool has_character = false;
    uint32_t node = ByteTrie::kRoot;
    for (size_t end = begin; end < text.size();) {
      node = tokens_.Child(node, static_cast<uint8_t>(text[end++]));
      if (node == ByteTrie::kNone) break;
      const TokenId id = tokens_.Value(node);
      if (id < 0) continue;
      offer(begin, end, id, scores_[static_cast<size_t>(id)] + so_far);
      has_character |= end - begin == character;
    }
    if (!has_character) offer(begin, begin + character, -1, so_far + unknown_score_);
    begin += character;
  }
}

// A character that is no token: its bytes where the vocabulary has tokens for them, else one unknown token for a run of
// such characters.
void Unigram::AppendUnknown(std::string_view character, std::vector<TokenId>& ids) const {
  if (!has_byte_tokens_) {
    if (data_.unk) ids.push_back(*data_.unk);
    return;
  }
  for (const char c : character) {
    const TokenId id = byte_tokens_[static_cast<uint8_t>(c)];
    if (id >= 0) ids.push_back(id);
  }
}

void Unigram::EncodeText(std::string_view text, bool /*after_special*/, EncodeScratch& scratch,
                         std::vector<TokenId>& ids) const {
  NormalizeText(text, scratch.text);
  text = scratch.text;
  if (text.empty()) return;
  std::vector<Cut> cuts;
  FindCuts(text, cuts);
  std::vector<size_t> ends;
  for (size_t end = text.size(); end > 0; end = static_cast<size_t>(cuts[end].begin)) ends.push_back(end);
  bool after_unknown = false;
  for (auto end = ends.rbegin(); end != ends.rend(); ++end) {
    const Cut& cut = cuts[*end];
    const auto begin = static_cast<size_t>(cut.begin);
    const bool is_unknown = cut.id < 0;
    if (!is_unknown) {
      ids.push_back(cut.id);
    } else if (has_byte_tokens_ || !after_unknown) {
      AppendUnknown(text.substr(begin, *end - begin), ids);
    }
    after_unknown = is_unknown;
  }
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> CreateUnigram(VocabData data) {
  if (data.scores.empty()) {
    return Error{ErrorCode::kCorruptFile, "tokenizer.ggml.scores is missing; model 't5' needs it", {}};
  }
  auto tokenizer = std::make_unique<Unigram>(std::move(data));
  RF_RETURN_IF_ERROR(tokenizer->Build());
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

}  // namespace rf
