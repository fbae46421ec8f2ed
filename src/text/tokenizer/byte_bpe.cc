// Byte-level BPE (tokenizer.ggml.model "gpt2"): a pre-tokenizer cuts the text into words, each word begins as its
// bytes, and ranked merges join them. Source: Radford et al. 2019 (GPT-2), section 2.2; token texts are written in
// GPT-2's alphabet of 256 printable characters, one for each byte.
#include <array>
#include <utility>

#include "text/tokenizer/bpe.h"
#include "text/tokenizer/byte_alphabet.h"
#include "text/tokenizer/join_filter.h"
#include "text/tokenizer/merge_reader.h"
#include "text/tokenizer/normalize.h"
#include "text/tokenizer/pre_tokenizer.h"
#include "text/tokenizer/tables.h"

namespace rf {
namespace {

class ByteBpe final : public Tokenizer {
 public:
  ByteBpe(VocabData data, const PreTokenizer& pre) : Tokenizer(std::move(data)), pre_(pre) {}

  void Build();

 protected:
  bool Normalize(std::string_view text, std::string& normalized) const override;
  void EncodeText(std::string_view text, bool after_special, EncodeScratch& scratch,
                  std::vector<TokenId>& ids) const override;

 private:
  void BuildPieces();
  void BuildLookup();
  void BuildMerges();
  void EncodeWord(std::string_view word, Merger& merger, std::vector<TokenId>& ids) const;
  void MergeSegment(std::string_view segment, Merger& merger, std::vector<TokenId>& ids) const;

  const PreTokenizer& pre_;
  const ByteAlphabet alphabet_;
  std::unique_ptr<StringTable> token_of_;  // bytes to id, without control, unknown and byte tokens
  std::array<int32_t, 256> byte_tokens_;   // -1: the vocabulary has none
  MergeTable merges_;
  ByteJoinFilter joins_;
};

void ByteBpe::Build() {
  tables_->types = ResolveTypes(data_);
  BuildPieces();
  BuildLookup();
  BuildMerges();
  if (data_.bos && data_.add_bos.value_or(pre_.add_bos)) tables_->first = data_.bos;
  if (data_.eos && data_.add_eos.value_or(false)) tables_->last = data_.eos;
  tables_->clean_spaces = pre_.clean_spaces;
  tables_->end_of_generation = FindEndOfGeneration(data_, tables_->types);
}

void ByteBpe::BuildPieces() {
  size_t n_bytes = 0;
  for (const std::string& text : data_.tokens) n_bytes += text.size();
  tables_->pieces.Reserve(data_.tokens.size(), n_bytes);
  std::string bytes;
  for (size_t i = 0; i < data_.tokens.size(); ++i) {
    const std::string& text = data_.tokens[i];
    bytes.clear();
    switch (tables_->types[i]) {
      case TokenType::kNormal:
        if (!alphabet_.Decode(text, bytes)) bytes = text;
        break;
      case TokenType::kByte: bytes.assign(1, static_cast<char>(ParseByteToken(text))); break;
      case TokenType::kUnused:
      case TokenType::kUndefined: break;
      default: bytes = text;
    }
    tables_->pieces.Add(bytes);
  }
}

void ByteBpe::BuildLookup() {
  token_of_ = std::make_unique<StringTable>(&tables_->pieces, data_.tokens.size());
  byte_tokens_.fill(-1);
  std::vector<TokenId> ordinary;
  const auto n = static_cast<TokenId>(data_.tokens.size());
  for (TokenId id = 0; id < n; ++id) {
    if (tables_->types[static_cast<size_t>(id)] == TokenType::kNormal) ordinary.push_back(id);
  }
  token_of_->InsertAll(ordinary);
  for (TokenId id = 0; id < n; ++id) {
    const std::string& text = data_.tokens[static_cast<size_t>(id)];
    switch (tables_->types[static_cast<size_t>(id)]) {
      case TokenType::kUserDefined:
        token_of_->Insert(id);
        tables_->user_defined.Add(text, id);
        tables_->all_special.Add(text, id);
        break;
      case TokenType::kControl:
      case TokenType::kUnknown: tables_->all_special.Add(text, id); break;
      case TokenType::kByte: byte_tokens_[static_cast<size_t>(ParseByteToken(text))] = id; break;
      default: break;
    }
  }
  for (size_t byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    if (const TokenId id = token_of_->Find({&text, 1}); id >= 0) byte_tokens_[byte] = id;
  }
}

void ByteBpe::BuildMerges() {
  const auto decode = [this](std::string_view half, std::string& out) { return alphabet_.Decode(half, out); };
  const auto on_merge = [this](std::string_view merged, size_t middle) {
    joins_.Add(merged[middle - 1], merged[middle]);
  };
  ReadMerges(data_.merges, {.token_of = *token_of_, .decode = decode, .on_merge = on_merge}, merges_);
}

bool ByteBpe::Normalize(std::string_view text, std::string& normalized) const {
  std::string repaired;
  const bool was_readable = IsReadable(text, repaired);
  if (pre_.nfc && !IsNfc(was_readable ? text : std::string_view(repaired), normalized)) return true;
  if (was_readable) return false;
  normalized = std::move(repaired);
  return true;
}

void ByteBpe::EncodeText(std::string_view text, bool /*after_special*/, EncodeScratch& scratch,
                         std::vector<TokenId>& ids) const {
  const char* const end = text.data() + text.size();
  scan::Split(pre_.stages, text.data(), end, [&](const char* p, const char* word_end) {
    const std::string_view word(p, static_cast<size_t>(word_end - p));
    scratch.cache.Append(p, word.size(), end, ids, [&] { EncodeWord(word, scratch.merger, ids); });
  });
}

void ByteBpe::EncodeWord(std::string_view word, Merger& merger, std::vector<TokenId>& ids) const {
  if (pre_.ignore_merges) {
    if (const TokenId id = token_of_->Find(word); id >= 0) {
      ids.push_back(id);
      return;
    }
  }
  // No merge ever crosses two bytes that no token holds side by side.
  size_t begin = 0;
  for (size_t i = 1; i < word.size(); ++i) {
    if (joins_.MayJoin(word[i - 1], word[i])) continue;
    MergeSegment(word.substr(begin, i - begin), merger, ids);
    begin = i;
  }
  MergeSegment(word.substr(begin), merger, ids);
}

void ByteBpe::MergeSegment(std::string_view segment, Merger& merger, std::vector<TokenId>& ids) const {
  auto& symbols = merger.symbols;
  symbols.clear();
  for (size_t i = 0; i < segment.size(); ++i) {
    symbols.push_back({static_cast<uint32_t>(i), byte_tokens_[static_cast<uint8_t>(segment[i])]});
  }
  symbols.push_back({static_cast<uint32_t>(segment.size()), -1});
  merger.Run([this](const MergeSymbol& left, const MergeSymbol& right, uint32_t /*end*/) {
    return merges_.Find(left.id, right.id);
  });
  for (size_t i = 0; i + 1 < symbols.size(); ++i) {
    if (symbols[i].id >= 0) ids.push_back(symbols[i].id);  // a byte that the vocabulary lacks is dropped
  }
}

}  // namespace

std::unique_ptr<Tokenizer> CreateByteBpe(VocabData data, const PreTokenizer& pre) {
  auto tokenizer = std::make_unique<ByteBpe>(std::move(data), pre);
  tokenizer->Build();
  return tokenizer;
}

}  // namespace rf
