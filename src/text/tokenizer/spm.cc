// SentencePiece's BPE (tokenizer.ggml.model "llama": Llama 2, Mistral, Phi-3, Gemma): the whole text begins as its
// characters, and of all adjacent pairs whose text is a token the one of highest score is joined, the leftmost among
// equals. Characters that are no tokens become byte tokens. Source: Kudo and Richardson 2018 (arXiv:1808.06226) and
// sentencepiece's bpe_model.
//
// Token texts carry U+2581 for a space. Here all text is kept with the plain space instead.
#include <fmt/format.h>

#include <array>
#include <bit>
#include <utility>

#include "base/log.h"
#include "base/utf8.h"
#include "text/tokenizer/join_filter.h"
#include "text/tokenizer/sentence_pieces.h"
#include "text/tokenizer/space_sign.h"
#include "text/tokenizer/tables.h"

namespace rf {
namespace {

// Higher scores first; REQUIRES: not NaN.
uint32_t PriorityOfScore(float score) {
  const auto bits = std::bit_cast<uint32_t>(score + 0.0f);  // no negative zero
  const uint32_t ascending = (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
  return ~ascending;
}

class Spm final : public Tokenizer {
 public:
  explicit Spm(VocabData data) : Tokenizer(std::move(data)) {}
  void Build();

 protected:
  bool Normalize(std::string_view text, std::string& normalized) const override {
    return ReplaceSpaceSigns(text, normalized);
  }
  void EncodeText(std::string_view text, bool after_special, EncodeScratch& scratch,
                  std::vector<TokenId>& ids) const override;

 private:
  void SetDefaults();
  void BuildLookup();
  void MarkStrippingTokens();
  void EncodeSegment(const char* p, size_t length, const char* text_end, EncodeScratch& scratch,
                     std::vector<TokenId>& ids) const;
  void EncodeUncached(std::string_view segment, Merger& merger, std::vector<TokenId>& ids) const;
  void EncodeBytes(std::string_view character, std::vector<TokenId>& ids) const;

  std::unique_ptr<StringTable> token_of_;  // text to id, without control, unknown and byte tokens
  std::vector<uint32_t> priorities_;       // by id
  std::array<TokenId, 256> byte_tokens_;   // -1: the vocabulary has none
  std::array<TokenId, 128> ascii_tokens_;  // tokens of one ASCII character, or -1
  JoinFilter joins_;
};

void Spm::Build() {
  tables_->types = ResolveTypes(data_);
  SetDefaults();
  AddSentencePieces(data_, *tables_);
  BuildLookup();
  MarkStrippingTokens();
  tables_->user_defined_is_text = true;
  if (data_.bos && data_.add_bos.value_or(true)) tables_->first = data_.bos;
  if (data_.eos && data_.add_eos.value_or(false)) tables_->last = data_.eos;
  tables_->add_space_prefix = data_.add_space_prefix.value_or(true);
  tables_->end_of_generation = FindEndOfGeneration(data_, tables_->types);
}

// Old files leave out the ids that Llama's vocabulary has had from the beginning.
void Spm::SetDefaults() {
  const auto is_token = [this](size_t id, std::string_view text) {
    return data_.tokens.size() > id && data_.tokens[id] == text;
  };
  if (!data_.unk && is_token(0, "<unk>")) data_.unk = 0;
  if (!data_.bos && is_token(1, "<s>")) data_.bos = 1;
  if (!data_.eos && is_token(2, "</s>")) data_.eos = 2;
}

void Spm::BuildLookup() {
  token_of_ = std::make_unique<StringTable>(&tables_->pieces, data_.tokens.size());
  byte_tokens_.fill(-1);
  priorities_.resize(data_.tokens.size(), PriorityOfScore(0.0f));
  for (size_t i = 0; i < data_.scores.size(); ++i) priorities_[i] = PriorityOfScore(data_.scores[i]);
  std::vector<TokenId> ordinary;
  std::string replaced;
  const auto n = static_cast<TokenId>(data_.tokens.size());
  for (TokenId id = 0; id < n; ++id) {
    if (tables_->types[static_cast<size_t>(id)] == TokenType::kNormal) {
      ordinary.push_back(id);
      joins_.Add(tables_->pieces[id]);
      continue;
    }
    std::string_view text = data_.tokens[static_cast<size_t>(id)];
    if (ReplaceSpaceSigns(text, replaced)) text = replaced;
    switch (tables_->types[static_cast<size_t>(id)]) {
      case TokenType::kUserDefined: tables_->user_defined.Add(text, id); [[fallthrough]];
      case TokenType::kControl:
      case TokenType::kUnknown: tables_->all_special.Add(text, id); break;
      case TokenType::kByte: byte_tokens_[static_cast<size_t>(ParseByteToken(text))] = id; break;
      default: break;
    }
  }
  token_of_->InsertAll(ordinary);
  for (size_t byte = 0; byte < ascii_tokens_.size(); ++byte) {
    const char text = static_cast<char>(byte);
    ascii_tokens_[byte] = token_of_->Find({&text, 1});
  }
}

// Phi-3's added tokens swallow the white space behind them. GGUF has no key for that; the vocabulary is known by a
// token that no other has.
void Spm::MarkStrippingTokens() {
  bool is_phi3 = false;
  for (const std::string& text : data_.tokens) is_phi3 |= text == "<|placeholder1|>";
  if (!is_phi3) return;
  tables_->strips_right.assign(data_.tokens.size(), false);
  for (size_t i = 0; i < data_.tokens.size(); ++i) {
    const std::string& text = data_.tokens[i];
    const TokenType type = tables_->types[i];
    const bool is_special =
        type == TokenType::kControl || type == TokenType::kUnknown || type == TokenType::kUserDefined;
    tables_->strips_right[i] = is_special && text != "<unk>" && text != "<s>" && text != "<|endoftext|>";
  }
}

void Spm::EncodeText(std::string_view text, bool after_special, EncodeScratch& scratch,
                     std::vector<TokenId>& ids) const {
  if (after_special && tables_->add_space_prefix) {
    scratch.text.assign(1, ' ');
    scratch.text += text;
    text = scratch.text;
  }
  // No merge ever crosses two characters that no token holds side by side: the text falls apart into segments there.
  const char* const end = text.data() + text.size();
  auto& symbols = scratch.merger.symbols;
  symbols.clear();
  const char* begin = text.data();
  char32_t previous = JoinFilter::kNoCharacter;
  for (const char* p = begin; p != end;) {
    Utf8Step step{static_cast<uint8_t>(*p), 1, true, false};
    if (step.code_point >= 0x80) step = DecodeUtf8(p, end);
    if (!step.valid) step = {JoinFilter::kNoCharacter, 1, false, false};
    if (p != begin && !joins_.MayJoin(previous, step.code_point)) {
      EncodeSegment(begin, static_cast<size_t>(p - begin), end, scratch, ids);
      symbols.clear();
      begin = p;
    }
    symbols.push_back({static_cast<uint32_t>(p - begin), -1});
    previous = step.code_point;
    p += step.length;
  }
  if (begin != end) EncodeSegment(begin, static_cast<size_t>(end - begin), end, scratch, ids);
}

void Spm::EncodeSegment(const char* p, size_t length, const char* text_end, EncodeScratch& scratch,
                        std::vector<TokenId>& ids) const {
  if (length == 1 && static_cast<uint8_t>(*p) < 128 && ascii_tokens_[static_cast<uint8_t>(*p)] >= 0) {
    ids.push_back(ascii_tokens_[static_cast<uint8_t>(*p)]);
    return;
  }
  if (length > WordCache::kMaxBytes) return EncodeUncached({p, length}, scratch.merger, ids);
  const WordCache::Key key = WordCache::MakeKey(p, length, text_end);
  WordCache::Entry& entry = scratch.cache.At(key);
  if (entry.key() == key) {
    ids.insert(ids.end(), entry.ids, entry.ids + entry.n_ids);
    return;
  }
  const size_t n_before = ids.size();
  EncodeUncached({p, length}, scratch.merger, ids);
  const size_t n_ids = ids.size() - n_before;
  if (n_ids <= WordCache::kMaxIds) WordCache::Store(entry, key, ids.data() + n_before, n_ids);
}

void Spm::EncodeUncached(std::string_view segment, Merger& merger, std::vector<TokenId>& ids) const {
  auto& symbols = merger.symbols;
  symbols.push_back({static_cast<uint32_t>(segment.size()), -1});
  merger.Run([this, segment](const MergeSymbol& left, const MergeSymbol&, uint32_t end) -> MergeCandidate {
    const TokenId id = token_of_->Find(segment.substr(left.begin, end - left.begin));
    if (id < 0) return {};
    return {priorities_[static_cast<size_t>(id)], id};
  });
  for (size_t i = 0; i + 1 < symbols.size(); ++i) {
    const std::string_view text = segment.substr(symbols[i].begin, symbols[i + 1].begin - symbols[i].begin);
    const TokenId id = symbols[i].id >= 0 ? symbols[i].id : token_of_->Find(text);
    if (id >= 0) {
      ids.push_back(id);
    } else {
      EncodeBytes(text, ids);
    }
  }
}

// A character that is no token: its bytes, or one unknown token where the vocabulary lacks one of them.
void Spm::EncodeBytes(std::string_view character, std::vector<TokenId>& ids) const {
  bool has_all = true;
  for (const char c : character) has_all &= byte_tokens_[static_cast<uint8_t>(c)] >= 0;
  if (!has_all && data_.unk) {
    ids.push_back(*data_.unk);
    return;
  }
  for (const char c : character) {
    const TokenId id = byte_tokens_[static_cast<uint8_t>(c)];
    if (id >= 0) ids.push_back(id);
  }
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> CreateSpm(VocabData data) {
  if (data.scores.empty()) {
    return Error{ErrorCode::kCorruptFile, "tokenizer.ggml.scores is missing; model 'llama' needs it", {}};
  }
  auto tokenizer = std::make_unique<Spm>(std::move(data));
  tokenizer->Build();
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

}  // namespace rf
