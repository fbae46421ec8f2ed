// BPE over raw text: ranked merges as in byte-level BPE, but of characters, which the vocabulary writes as they are
// (Gemma 4, Granite's and Jina's embedding models, mmBERT, Sarvam). Source: the BPE model of Hugging Face's tokenizers
// with the normalizers and pre-tokenizers that these models publish; GemmaTokenizer of transformers.
//
// llama.cpp differs in texts of the first kind (BpeSymbols::kText) by cutting them at line ends and by taking a run of
// line ends that is a token as it is, which the merges of real vocabularies come to as well; in Jina's by cutting words
// at white space only and by dropping characters that are no tokens.
#include <utility>

#include "base/log.h"
#include "base/utf8.h"
#include "text/tokenizer/bpe.h"
#include "text/tokenizer/char_bpe.h"
#include "text/tokenizer/lower_case.h"
#include "text/tokenizer/merge_reader.h"
#include "text/tokenizer/space_sign.h"

namespace rf {
namespace {

class RawBpe final : public CharBpe {
 public:
  RawBpe(VocabData data, const PreTokenizer& pre)
      : CharBpe(std::move(data), pre.symbols == BpeSymbols::kWords ? SpaceSigns::kNone : SpaceSigns::kInText),
        pre_(pre) {}
  void Build();

 protected:
  void EncodeText(std::string_view text, bool after_special, EncodeScratch& scratch,
                  std::vector<TokenId>& ids) const override;
  void Merge(std::string_view segment, Merger& merger) const override;

 private:
  void MarkByteTokens();
  void BuildMerges();
  bool AddsBos() const;
  void WriteLines(std::string_view text, std::string& lines) const;
  void WriteLowerCase(std::string_view text, std::string& lower) const;

  const PreTokenizer& pre_;
  MergeTable merges_;
};

void RawBpe::Build() {
  tables_->types = ResolveTypes(data_);
  if (pre_.symbols != BpeSymbols::kWords) MarkByteTokens();
  BuildLookup(true);
  BuildMerges();
  if (data_.bos && AddsBos()) tables_->first = data_.bos;
  if (data_.eos && data_.add_eos.value_or(false)) tables_->last = data_.eos;
  tables_->add_space_prefix = pre_.symbols == BpeSymbols::kSpacedWords ||
                              (pre_.symbols == BpeSymbols::kText && data_.add_space_prefix.value_or(false));
  tables_->end_of_generation = FindEndOfGeneration(data_, tables_->types);
}

// Files tell byte tokens from others only where the vocabulary was once SentencePiece's.
void RawBpe::MarkByteTokens() {
  for (size_t i = 0; i < data_.tokens.size(); ++i) {
    TokenType& type = tables_->types[i];
    if (type == TokenType::kNormal && ParseByteToken(data_.tokens[i]) >= 0) type = TokenType::kByte;
  }
}

void RawBpe::BuildMerges() {
  const auto decode = [this](std::string_view half, std::string& out) {
    std::string replaced;
    out += Normalize(half, replaced) ? std::string_view(replaced) : half;
    return true;
  };
  const auto on_merge = [this](std::string_view merged, size_t middle) {
    size_t begin = middle - 1;  // of the last character of the left half
    while (begin > 0 && (merged[begin] & 0xC0) == 0x80) --begin;
    const Utf8Step first = DecodeUtf8(merged.data() + middle, merged.data() + merged.size());
    joins_.Add(merged.substr(begin, middle + first.length - begin));
  };
  ReadMerges(data_.merges, {.token_of = *token_of_, .decode = decode, .on_merge = on_merge}, merges_);
}

// The first files of Gemma 4 deny the BOS token without which the model babbles.
bool RawBpe::AddsBos() const {
  const bool is_denied = !data_.add_bos.value_or(true);
  if (!is_denied || data_.model != "gemma4") return data_.add_bos.value_or(pre_.add_bos);
  Log(LogLevel::kWarning, "tokenizer.ggml.add_bos_token is false; taken as true, since Gemma 4 needs the BOS token");
  return true;
}

void RawBpe::EncodeText(std::string_view text, bool after_special, EncodeScratch& scratch,
                        std::vector<TokenId>& ids) const {
  if (pre_.symbols == BpeSymbols::kText) return CharBpe::EncodeText(text, after_special, scratch, ids);
  if (pre_.symbols == BpeSymbols::kSpacedWords) {
    WriteLines(text, scratch.text);
  } else {
    WriteLowerCase(text, scratch.text);
  }
  const char* const end = scratch.text.data() + scratch.text.size();
  scan::Split(pre_.stages, scratch.text.data(), end, [&](const char* p, const char* word_end) {
    if (pre_.symbols == BpeSymbols::kWords && PeekChar(p, end).Is(kSpace)) return;
    EncodeCharacters({p, static_cast<size_t>(word_end - p)}, scratch, ids);
  });
}

// Each line begins with a space, which is added where it has none: as llama.cpp reads mmBERT's tokenizer, which is
// Hugging Face's Metaspace between line ends that are tokens of their own.
void RawBpe::WriteLines(std::string_view text, std::string& lines) const {
  lines.clear();
  char previous = '\n';
  for (const char c : text) {
    if (previous == '\n' && c != '\n' && c != ' ') lines += ' ';
    lines += c;
    previous = c;
  }
}

// In lower case where the vocabulary wants that, and with one U+FFFD for each byte that is no part of a character.
void RawBpe::WriteLowerCase(std::string_view text, std::string& lower) const {
  const bool has_lower_case = data_.lowercase.value_or(false);
  lower.clear();
  const char* const end = text.data() + text.size();
  for (const char* p = text.data(); p != end;) {
    const Utf8Step step = DecodeUtf8(p, end);
    const size_t length = step.valid ? step.length : 1;
    if (!step.valid) {
      lower += kReplacementUtf8;
    } else if (has_lower_case) {
      AppendLower(lower, step.code_point);
    } else {
      lower.append(p, length);
    }
    p += length;
  }
}

void RawBpe::Merge(std::string_view segment, Merger& merger) const {
  auto& symbols = merger.symbols;
  for (size_t i = 0; i + 1 < symbols.size(); ++i) {
    symbols[i].id = token_of_->Find(segment.substr(symbols[i].begin, symbols[i + 1].begin - symbols[i].begin));
  }
  merger.Run([this](const MergeSymbol& left, const MergeSymbol& right, uint32_t /*end*/) {
    return merges_.Find(left.id, right.id);
  });
}

}  // namespace

std::unique_ptr<Tokenizer> CreateRawBpe(VocabData data, const PreTokenizer& pre) {
  auto tokenizer = std::make_unique<RawBpe>(std::move(data), pre);
  tokenizer->Build();
  return tokenizer;
}

}  // namespace rf
