// Byte-level BPE (tokenizer.ggml.model "gpt2"): a pre-tokenizer cuts the text into words, each word begins as its
// bytes, and ranked merges join them. Source: Radford et al. 2019 (GPT-2), section 2.2; token texts are written in
// GPT-2's alphabet of 256 printable characters, one for each byte.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "base/utf8.h"
#include "text/tokenizer/byte_alphabet.h"
#include "text/tokenizer/join_filter.h"
#include "text/tokenizer/merge_table.h"
#include "text/tokenizer/normalize.h"
#include "text/tokenizer/pre_tokenizer.h"
#include "text/tokenizer/tables.h"

namespace rf {
namespace {

// A few merges on their way from the file to the table.
struct MergeBatch {
  static constexpr size_t kSize = 32;
  struct Entry {
    size_t begin = 0, middle = 0, end = 0;  // of both pieces in `bytes`; 0 if the entry is malformed
    uint64_t prepared[3] = {};
    int32_t left = -1, right = -1, merged = -1;
  };
  std::string bytes;
  Entry entries[kSize];
};

class ByteBpe final : public Tokenizer {
 public:
  ByteBpe(VocabData data, const PreTokenizer& pre) : Tokenizer(std::move(data)), pre_(pre) {}

  Status Build();

 protected:
  bool Normalize(std::string_view text, std::string& normalized) const override;
  void EncodeText(std::string_view text, bool after_special, EncodeScratch& scratch,
                  std::vector<TokenId>& ids) const override;

 private:
  void BuildPieces();
  void BuildLookup();
  void BuildMerges();
  void ReadMerges(size_t begin, size_t n, MergeBatch& batch) const;
  void EncodeWord(const char* p, const char* end, const char* text_end, EncodeScratch& scratch,
                  std::vector<TokenId>& ids) const;
  void EncodeUncached(std::string_view word, EncodeScratch& scratch, std::vector<TokenId>& ids) const;
  void MergeSegment(std::string_view segment, Merger& merger, std::vector<TokenId>& ids) const;

  const PreTokenizer& pre_;
  const ByteAlphabet alphabet_;
  std::unique_ptr<StringTable> token_of_;  // bytes to id, without control, unknown and byte tokens
  std::array<int32_t, 256> byte_tokens_;   // -1: the vocabulary has none
  MergeTable merges_;
  ByteJoinFilter joins_;
};

Status ByteBpe::Build() {
  if (data_.merges.empty()) {
    return Error{ErrorCode::kCorruptFile, "tokenizer.ggml.merges is missing or empty; model 'gpt2' needs it", {}};
  }
  tables_->types = ResolveTypes(data_);
  BuildPieces();
  BuildLookup();
  BuildMerges();
  if (data_.bos && data_.add_bos.value_or(pre_.add_bos)) tables_->first = data_.bos;
  if (data_.eos && data_.add_eos.value_or(false)) tables_->last = data_.eos;
  tables_->clean_spaces = pre_.clean_spaces;
  tables_->end_of_generation = FindEndOfGeneration(data_, tables_->types);
  return {};
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
  merges_.Reserve(data_.merges.size());
  size_t n_skipped = 0, first_skipped = 0;
  MergeBatch batch;
  for (size_t begin = 0; begin < data_.merges.size(); begin += MergeBatch::kSize) {
    const size_t n = std::min(MergeBatch::kSize, data_.merges.size() - begin);
    ReadMerges(begin, n, batch);
    for (size_t i = 0; i < n; ++i) {
      const MergeBatch::Entry& entry = batch.entries[i];
      const bool is_known = entry.left >= 0 && entry.right >= 0 && entry.merged >= 0;
      if (is_known && merges_.Insert(entry.left, entry.right, {static_cast<uint32_t>(begin + i), entry.merged})) {
        joins_.Add(batch.bytes[entry.middle - 1], batch.bytes[entry.middle]);
        continue;
      }
      if (n_skipped++ == 0) first_skipped = begin + i;
    }
  }
  if (n_skipped == 0) return;
  Log(LogLevel::kWarning,
      fmt::format("tokenizer.ggml.merges: {} of {} entries name unknown pieces or repeat others and are skipped, the "
                  "first is [{}] '{}'",
                  n_skipped, data_.merges.size(), first_skipped, EscapeForMessage(data_.merges[first_skipped])));
}

// Finds the tokens of data_.merges[begin, begin + n). Every look-up is a cache miss, so that they are done side by
// side.
void ByteBpe::ReadMerges(size_t begin, size_t n, MergeBatch& batch) const {
  batch.bytes.clear();
  for (size_t i = 0; i < n; ++i) {
    MergeBatch::Entry& entry = batch.entries[i];
    entry = {};
    const std::string_view merge = data_.merges[begin + i];
    const size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos || space + 1 == merge.size()) continue;
    entry.begin = batch.bytes.size();
    if (!alphabet_.Decode(merge.substr(0, space), batch.bytes)) continue;
    entry.middle = batch.bytes.size();
    if (!alphabet_.Decode(merge.substr(space + 1), batch.bytes)) continue;
    entry.end = batch.bytes.size();
  }
  const auto text = [&batch](size_t from, size_t to) { return std::string_view(batch.bytes).substr(from, to - from); };
  for (size_t i = 0; i < n; ++i) {
    MergeBatch::Entry& entry = batch.entries[i];
    entry.prepared[0] = token_of_->Prepare(text(entry.begin, entry.middle));
    entry.prepared[1] = token_of_->Prepare(text(entry.middle, entry.end));
    entry.prepared[2] = token_of_->Prepare(text(entry.begin, entry.end));
  }
  for (size_t i = 0; i < n; ++i) {
    MergeBatch::Entry& entry = batch.entries[i];
    if (entry.end == 0) continue;
    entry.left = token_of_->Find(text(entry.begin, entry.middle), entry.prepared[0]);
    entry.right = token_of_->Find(text(entry.middle, entry.end), entry.prepared[1]);
    entry.merged = token_of_->Find(text(entry.begin, entry.end), entry.prepared[2]);
    merges_.Prefetch(entry.left, entry.right);
  }
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
  scan::Split(pre_.stages, text.data(), end,
              [&](const char* p, const char* word_end) { EncodeWord(p, word_end, end, scratch, ids); });
}

void ByteBpe::EncodeWord(const char* p, const char* end, const char* text_end, EncodeScratch& scratch,
                         std::vector<TokenId>& ids) const {
  const auto length = static_cast<size_t>(end - p);
  if (length > WordCache::kMaxBytes) return EncodeUncached({p, length}, scratch, ids);
  const WordCache::Key key = WordCache::MakeKey(p, length, text_end);
  WordCache::Entry& entry = scratch.cache.At(key);
  if (entry.key() == key) {
    ids.insert(ids.end(), entry.ids, entry.ids + entry.n_ids);
    return;
  }
  const size_t n_before = ids.size();
  EncodeUncached({p, length}, scratch, ids);
  const size_t n_ids = ids.size() - n_before;
  if (n_ids <= WordCache::kMaxIds) WordCache::Store(entry, key, ids.data() + n_before, n_ids);
}

void ByteBpe::EncodeUncached(std::string_view word, EncodeScratch& scratch, std::vector<TokenId>& ids) const {
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
    MergeSegment(word.substr(begin, i - begin), scratch.merger, ids);
    begin = i;
  }
  MergeSegment(word.substr(begin), scratch.merger, ids);
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

// Names of vocabularies whose merges join characters, not bytes: read as byte-level ones they would give nonsense.
constexpr std::string_view kOverRawText[] = {"gemma4", "granite-embed-multi-311m", "sarvam-moe", "whitespace"};

}  // namespace

Result<std::unique_ptr<Tokenizer>> CreateByteBpe(VocabData data) {
  if (std::find(std::begin(kOverRawText), std::end(kOverRawText), data.pre) != std::end(kOverRawText)) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("tokenizer.ggml.pre '{}' (BPE over raw text) is not supported", data.pre),
                 {}};
  }
  const PreTokenizer* pre = FindPreTokenizer(data.pre.empty() ? "default" : data.pre);
  if (pre == nullptr) {
    Log(LogLevel::kWarning,
        fmt::format("tokenizer.ggml.pre '{}' is unknown; taken as '{}', which most models resemble: words may be cut "
                    "differently than in training",
                    EscapeForMessage(data.pre, 32), kFallbackPreTokenizer));
    pre = FindPreTokenizer(kFallbackPreTokenizer);
  }
  if (data.pre.empty())
    Log(LogLevel::kWarning, "tokenizer.ggml.pre is missing; 'default' is used, which few models want");
  auto tokenizer = std::make_unique<ByteBpe>(std::move(data), *pre);
  RF_RETURN_IF_ERROR(tokenizer->Build());
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

}  // namespace rf
