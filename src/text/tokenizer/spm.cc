// SentencePiece's BPE (tokenizer.ggml.model "llama": Llama 2, Mistral, Phi-3, Gemma): the whole text begins as its
// characters, and of all adjacent pairs whose text is a token the one of highest score is joined, the leftmost among
// equals. Characters that are no tokens become byte tokens. Source: Kudo and Richardson 2018 (arXiv:1808.06226) and
// sentencepiece's bpe_model.
//
// Token texts carry U+2581 for a space. Here all text is kept with the plain space instead.
#include <bit>
#include <utility>

#include "text/tokenizer/char_bpe.h"

namespace rf {
namespace {

// Higher scores first; REQUIRES: not NaN.
uint32_t PriorityOfScore(float score) {
  const auto bits = std::bit_cast<uint32_t>(score + 0.0f);  // no negative zero
  const uint32_t ascending = (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
  return ~ascending;
}

class Spm final : public CharBpe {
 public:
  explicit Spm(VocabData data) : CharBpe(std::move(data), SpaceSigns::kInNormal) {}
  void Build();

 protected:
  void Merge(std::string_view segment, Merger& merger) const override;

 private:
  void SetDefaults();
  void BuildPairs();
  void MarkStrippingTokens();

  std::vector<uint32_t> priorities_;  // by id
};

void Spm::Build() {
  tables_->types = ResolveTypes(data_);
  SetDefaults();
  BuildLookup(false);
  BuildPairs();
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

void Spm::BuildPairs() {
  priorities_.resize(data_.tokens.size());
  for (size_t i = 0; i < data_.scores.size(); ++i) priorities_[i] = PriorityOfScore(data_.scores[i]);
  for (size_t i = 0; i < data_.tokens.size(); ++i) {
    if (tables_->types[i] == TokenType::kNormal) joins_.Add(tables_->pieces[static_cast<TokenId>(i)]);
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

void Spm::Merge(std::string_view segment, Merger& merger) const {
  merger.Run([this, segment](const MergeSymbol& left, const MergeSymbol&, uint32_t end) -> MergeCandidate {
    const TokenId id = token_of_->Find(segment.substr(left.begin, end - left.begin));
    if (id < 0) return {};
    return {priorities_[static_cast<size_t>(id)], id};
  });
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
