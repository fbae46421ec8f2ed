// PLaMo 2 ("plamo2"): of all ways to cut the text into tokens the one whose scores have the greatest sum, found from
// the end of the text to its beginning; of equal ways the one whose first token is longest. Scores are whole
// ten-thousandths, so that sums are exact. A character may always be written as its bytes, at a price that no token
// comes near. Source: tokenization_plamo.py, published with pfnet/plamo-2-1b.
//
// The original finds the tokens that begin at a place by an Aho-Corasick automaton over the reversed text; a trie that
// is walked forwards finds the same ones. llama.cpp drops U+FEFF at the beginning of a text; the original does not (it
// drops the mark that Python's UTF-32 encoder puts in front).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/utf8.h"
#include "text/tokenizer/byte_trie.h"
#include "text/tokenizer/pieces.h"
#include "text/tokenizer/tables.h"

namespace rf {
namespace {

constexpr int64_t kBytesPrice = 10'000'000;     // of a character that is written as its bytes
constexpr int64_t kUnusablePrice = 20'000'000;  // tokens of this price or more are never used
constexpr int64_t kNever = int64_t{1} << 60;
constexpr double kHighestScore = 2147483647.0;  // of the original's arithmetic in 32 bits

// What a token costs: minus its score. Halves are rounded to even numbers, as in the original.
int64_t PriceOfScore(float score) {
  const double units = std::nearbyint(static_cast<double>(score) * 1e4);
  if (std::isinf(units)) return kUnusablePrice;
  return -static_cast<int64_t>(std::clamp(units, static_cast<double>(-kUnusablePrice), kHighestScore));
}

class Plamo2 final : public Tokenizer {
 public:
  explicit Plamo2(VocabData data) : Tokenizer(std::move(data)) {}
  Status Build();

 protected:
  bool Normalize(std::string_view, std::string&) const override { return false; }
  void EncodeText(std::string_view text, bool after_special, EncodeScratch& scratch,
                  std::vector<TokenId>& ids) const override;

 private:
  // The best way to cut the text from some place on: its first token, -1 for the bytes of a character, that token's
  // bytes in the text, and the price of the whole. Before it is known, `length` is that of the character there, 0
  // inside of one.
  struct Cut {
    int64_t price = kNever;
    TokenId id = -1;
    uint32_t length = 0;
  };

  Status BuildLookup();
  Cut FindCut(std::string_view text, size_t begin, const std::vector<Cut>& cuts) const;

  ByteTrie tokens_;
  std::vector<int64_t> prices_;  // by id
  std::array<TokenId, 256> byte_tokens_;
};

Status Plamo2::Build() {
  tables_->types = ResolveTypes(data_);
  AddPieces(data_, SpaceSigns::kNone, *tables_);
  RF_RETURN_IF_ERROR(BuildLookup());
  if (data_.bos && data_.add_bos.value_or(false)) tables_->first = data_.bos;
  if (data_.eos && data_.add_eos.value_or(false)) tables_->last = data_.eos;
  tables_->end_of_generation = FindEndOfGeneration(data_, tables_->types);
  return {};
}

Status Plamo2::BuildLookup() {
  byte_tokens_.fill(-1);
  std::vector<std::pair<std::string_view, int32_t>> keys;
  for (const float score : data_.scores) prices_.push_back(PriceOfScore(score));
  for (size_t i = data_.tokens.size(); i-- > 0;) {  // of equal tokens the last one counts, as in the original
    const std::string& text = data_.tokens[i];
    const auto id = static_cast<TokenId>(i);
    switch (tables_->types[i]) {
      case TokenType::kUserDefined: tables_->user_defined.Add(text, id); [[fallthrough]];
      case TokenType::kControl:
      case TokenType::kUnknown: tables_->all_special.Add(text, id); break;
      case TokenType::kByte: byte_tokens_[static_cast<size_t>(ParseByteToken(text))] = id; break;
      case TokenType::kNormal:
        if (IsMatchable(text) && prices_[i] < kUnusablePrice) keys.emplace_back(text, id);
        break;
      default: break;
    }
  }
  tokens_.Build(std::move(keys));
  const auto missing = std::find(byte_tokens_.begin(), byte_tokens_.end(), -1);
  if (missing == byte_tokens_.end()) return {};
  return Error{ErrorCode::kCorruptFile,
               fmt::format("tokenizer.ggml.tokens has no byte token <0x{:02X}>; model 'plamo2' needs all 256",
                           missing - byte_tokens_.begin()),
               {}};
}

Plamo2::Cut Plamo2::FindCut(std::string_view text, size_t begin, const std::vector<Cut>& cuts) const {
  const uint32_t character = cuts[begin].length;
  Cut best{cuts[begin + character].price + kBytesPrice, -1, character};
  uint32_t node = ByteTrie::kRoot;
  for (size_t end = begin; end < text.size();) {
    node = tokens_.Child(node, static_cast<uint8_t>(text[end++]));
    if (node == ByteTrie::kNone) break;
    const TokenId id = tokens_.Value(node);
    if (id < 0) continue;
    const int64_t price = cuts[end].price + prices_[static_cast<size_t>(id)];
    if (price <= best.price) best = {price, id, static_cast<uint32_t>(end - begin)};
  }
  return best;
}

void Plamo2::EncodeText(std::string_view text, bool /*after_special*/, EncodeScratch& /*scratch*/,
                        std::vector<TokenId>& ids) const {
  const char* const text_end = text.data() + text.size();
  std::vector<Cut> cuts(text.size() + 1);
  for (size_t i = 0; i < text.size(); i += cuts[i].length) {
    const Utf8Step step = DecodeUtf8(text.data() + i, text_end);
    cuts[i].length = step.valid ? step.length : 1;
  }
  cuts.back().price = 0;
  for (size_t begin = text.size(); begin-- > 0;) {
    if (cuts[begin].length > 0) cuts[begin] = FindCut(text, begin, cuts);
  }
  for (size_t begin = 0; begin < text.size(); begin += cuts[begin].length) {
    const Cut& cut = cuts[begin];
    if (cut.id >= 0) {
      ids.push_back(cut.id);
      continue;
    }
    for (size_t i = 0; i < cut.length; ++i) ids.push_back(byte_tokens_[static_cast<uint8_t>(text[begin + i])]);
  }
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> CreatePlamo2(VocabData data) {
  if (data.scores.empty()) {
    return Error{ErrorCode::kCorruptFile, "tokenizer.ggml.scores is missing; model 'plamo2' needs it", {}};
  }
  auto tokenizer = std::make_unique<Plamo2>(std::move(data));
  RF_RETURN_IF_ERROR(tokenizer->Build());
  return std::unique_ptr<Tokenizer>(std::move(tokenizer));
}

}  // namespace rf
