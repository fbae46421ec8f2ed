#include "text/tokenizer/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "text/tokenizer/clean_spaces.h"
#include "text/tokenizer/tables.h"

namespace rf {
namespace {

struct Kind {
  std::string_view model;  // tokenizer.ggml.model
  std::string_view description;
  Result<std::unique_ptr<Tokenizer>> (*create)(VocabData data);
};

constexpr Kind kKinds[] = {{"llama", "SentencePiece BPE", CreateSpm},  {"gpt2", "BPE", CreateBpe},
                           {"gemma4", "BPE over raw text", CreateBpe}, {"whitespace", "BPE over raw words", CreateBpe},
                           {"bert", "WordPiece", CreateWordPiece},     {"t5", "SentencePiece Unigram", CreateUnigram},
                           {"rwkv", "RWKV World", CreateRwkv},         {"plamo2", "PLaMo 2", CreatePlamo2}};

Error UnknownKind(std::string_view model) {
  std::string supported;
  for (const Kind& kind : kKinds) {
    supported += fmt::format("{}{} ({})", supported.empty() ? "" : ", ", kind.model, kind.description);
  }
  return Error{ErrorCode::kUnsupported,
               fmt::format("tokenizer.ggml.model '{}' is unknown; supported: {}", EscapeForMessage(model), supported),
               {}};
}

bool IsAsciiSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool LooksLikeControl(std::string_view text) {
  for (const auto& [open, close] : {std::pair<std::string_view, std::string_view>{"<|", "|>"}, {"<｜", "｜>"}}) {
    if (text.size() > open.size() + close.size() && text.starts_with(open) && text.ends_with(close)) return true;
  }
  return false;
}

}  // namespace

Tokenizer::Tokenizer(VocabData data) : data_(std::move(data)), tables_(std::make_unique<TokenizerTables>()) {}

Tokenizer::~Tokenizer() = default;

Result<std::unique_ptr<Tokenizer>> Tokenizer::Create(VocabData data) {
  const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [&data](const Kind& candidate) { return candidate.model == data.model; });
  if (kind == std::end(kKinds)) return UnknownKind(data.model);
  RF_RETURN_IF_ERROR(CheckVocab(data));
  return kind->create(std::move(data));
}

// Puts `text` in normal form piece by piece, so that the spans can be told in it: `moved`. False: it is in that form.
bool Tokenizer::NormalizeSpans(std::string_view text, std::span<const TextSpan> plain, std::string& normalized,
                               std::vector<TextSpan>& moved) const {
  if (!Normalize(text, normalized)) return false;
  if (plain.empty()) return true;
  std::string joined, piece;
  const auto append = [&](size_t begin, size_t end) {
    const std::string_view part = text.substr(begin, end - begin);
    joined += Normalize(part, piece) ? std::string_view(piece) : part;
    return joined.size();
  };
  size_t done = 0;
  for (const TextSpan& span : plain) {
    const size_t begin = append(done, span.begin);
    moved.push_back({begin, append(span.begin, span.end)});
    done = span.end;
  }
  append(done, text.size());
  normalized = std::move(joined);
  return true;
}

// Whether the special token `id` may be recognized at [begin, end) of the text.
bool Tokenizer::MayBeToken(size_t begin, size_t end, TokenId id, std::span<const TextSpan> plain) const {
  const auto span =
      std::partition_point(plain.begin(), plain.end(), [begin](const TextSpan& s) { return s.end <= begin; });
  if (span == plain.end() || span->begin >= end) return true;
  return tables_->types[static_cast<size_t>(id)] == TokenType::kUserDefined && !LooksLikeControl(tables_->pieces[id]);
}

std::vector<TokenId> Tokenizer::Encode(std::string_view text, const EncodeOptions& options) const {
  return Encode(text, options, {});
}

std::vector<TokenId> Tokenizer::Encode(std::string_view text, const EncodeOptions& options,
                                       std::span<const TextSpan> plain) const {
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 3 + 4);
  if (options.add_special && tables_->first) ids.push_back(*tables_->first);
  ScratchPool::Loan scratch(tables_->scratch);
  std::string normalized;
  std::vector<TextSpan> moved;
  if (NormalizeSpans(text, plain, normalized, moved)) {
    text = normalized;
    plain = moved;
  }
  const SpecialMatcher& matcher = options.parse_special ? tables_->all_special : tables_->user_defined;
  bool after_special = true;
  size_t position = 0;
  while (position < text.size()) {
    const auto match = matcher.FindNext(text, position, [&](size_t begin, size_t end, TokenId id) {
      return plain.empty() || MayBeToken(begin, end, id, plain);
    });
    const size_t end = match ? match->begin : text.size();
    if (end > position) {
      EncodeText(text.substr(position, end - position), after_special, *scratch, ids);
      after_special = false;
    }
    if (!match) break;
    position = match->end;
    if (!options.parse_special && tables_->user_defined_is_text) {
      if (after_special && tables_->add_space_prefix) EncodeText({}, true, *scratch, ids);
      ids.push_back(match->id);
      after_special = false;
      continue;
    }
    ids.push_back(match->id);
    after_special = true;
    if (tables_->strips_right.empty() || !tables_->strips_right[static_cast<size_t>(match->id)]) continue;
    while (position < text.size() && IsAsciiSpace(text[position])) ++position;
  }
  if (options.add_special && tables_->last) ids.push_back(*tables_->last);
  return ids;
}

std::string Tokenizer::Decode(const std::vector<TokenId>& ids, const DecodeOptions& options) const {
  auto first = ids.begin();
  auto last = ids.end();
  bool strip_space = tables_->add_space_prefix;
  if (options.remove_special && tables_->first && first != last && *first == *tables_->first) {
    ++first;
    strip_space = false;
  }
  if (options.remove_special && tables_->last && first != last && *(last - 1) == *tables_->last) --last;
  std::string text;
  for (; first != last; ++first) {
    std::string_view piece = PieceView(*first, options.unparse_special);
    if (strip_space && !piece.empty() && piece.front() == ' ') piece.remove_prefix(1);
    strip_space = false;
    text += piece;
  }
  return options.clean_spaces && tables_->clean_spaces ? CleanSpaces(text) : text;
}

std::string Tokenizer::Piece(TokenId id, bool unparse_special) const {
  return std::string(PieceView(id, unparse_special));
}

std::string_view Tokenizer::PieceView(TokenId id, bool unparse_special) const {
  const TokenType type = tables_->types[static_cast<size_t>(id)];
  const bool is_hidden = type == TokenType::kControl || type == TokenType::kUnknown;
  return is_hidden && !unparse_special ? std::string_view() : tables_->pieces[id];
}

bool Tokenizer::IsControl(TokenId id) const {
  return tables_->types[static_cast<size_t>(id)] == TokenType::kControl;
}

bool Tokenizer::IsEndOfGeneration(TokenId id) const {
  return std::binary_search(tables_->end_of_generation.begin(), tables_->end_of_generation.end(), id);
}

const std::vector<TokenId>& Tokenizer::end_of_generation_ids() const {
  return tables_->end_of_generation;
}

bool Tokenizer::adds_bos() const {
  return tables_->first.has_value();
}

bool Tokenizer::adds_eos() const {
  return tables_->last.has_value();
}

bool Tokenizer::adds_space_prefix() const {
  return tables_->add_space_prefix;
}

}  // namespace rf
