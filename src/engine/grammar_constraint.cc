#include "engine/grammar_constraint.h"

#include <algorithm>
#include <string>

#include "base/utf8.h"

namespace rf {
namespace {

constexpr size_t kContextTokens = 8;
constexpr size_t kMaxForcedBytes = 512;

std::shared_ptr<const grammar::Vocabulary> MakeVocabulary(const Tokenizer& tokenizer) {
  std::vector<std::string> tokens;
  tokens.reserve(static_cast<size_t>(tokenizer.size()));
  for (TokenId id = 0; id < tokenizer.size(); ++id) {
    // What ends a generation is no text, even where its type says so.
    tokens.push_back(tokenizer.IsEndOfGeneration(id) ? std::string() : tokenizer.Piece(id));
  }
  auto vocabulary = std::make_shared<const grammar::Vocabulary>(std::move(tokens));
  grammar::WarmUp(vocabulary);
  return vocabulary;
}

}  // namespace

Result<std::shared_ptr<const grammar::CompiledGrammar>> GrammarLibrary::Get(const grammar::GrammarSource& source) {
  std::shared_ptr<const grammar::Vocabulary> vocabulary;
  {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.source == source; });
    if (found != kept_.end()) {
      kept_.splice(kept_.begin(), kept_, found);
      return kept_.front().grammar;
    }
    if (!vocabulary_) vocabulary_ = MakeVocabulary(*tokenizer_);
    vocabulary = vocabulary_;
  }
  RF_ASSIGN_OR_RETURN(auto compiled, grammar::Compile(source, std::move(vocabulary)));
  const std::lock_guard lock(mutex_);
  kept_.push_front({source, compiled});
  if (kept_.size() > kMaxKept) kept_.pop_back();
  return compiled;
}

GrammarConstraint::GrammarConstraint(std::shared_ptr<const grammar::CompiledGrammar> grammar,
                                     const Tokenizer& tokenizer, std::vector<TokenId> end_ids, bool takes_forced)
    : matcher_(std::move(grammar)), tokenizer_(tokenizer), end_ids_(std::move(end_ids)), takes_forced_(takes_forced) {}

std::span<const uint64_t> GrammarConstraint::Mask() {
  const std::span<const uint64_t> mask = matcher_.TokenMask();
  if (end_ids_.empty() || !matcher_.IsComplete()) return mask;
  mask_.assign(mask.begin(), mask.end());
  for (const TokenId id : end_ids_) {
    const auto word = static_cast<size_t>(id) / 64;
    if (word < mask_.size()) mask_[word] |= uint64_t{1} << (static_cast<size_t>(id) % 64);
  }
  return mask_;
}

bool GrammarConstraint::Accept(int32_t id) {
  if (std::find(end_ids_.begin(), end_ids_.end(), id) != end_ids_.end()) {
    is_ended_ = matcher_.IsComplete();
    return is_ended_;
  }
  if (!matcher_.AcceptToken(id)) return false;
  if (recent_.size() == kContextTokens) recent_.erase(recent_.begin());
  recent_.push_back(id);
  return true;
}

std::vector<int32_t> GrammarConstraint::TakeForced() {
  if (!takes_forced_ || is_ended_) return {};
  std::string forced = matcher_.ForcedBytes(kMaxForcedBytes);
  forced.resize(ValidUtf8Prefix(forced));
  if (forced.size() < 2) return {};
  std::vector<int32_t> ids = Encode(forced, recent_.size());
  if (ids.empty() && recent_.size() > 1) ids = Encode(forced, 1);
  size_t n_taken = 0;
  while (n_taken < ids.size() && Accept(ids[n_taken])) ++n_taken;
  ids.resize(n_taken);
  return ids;
}

std::vector<int32_t> GrammarConstraint::Encode(const std::string& forced, size_t n_context) const {
  const std::span<const TokenId> context = std::span(recent_).last(n_context);
  // A tokenizer that puts a space in front of a text must not do so here.
  std::string text = tokenizer_.adds_space_prefix() ? "\n" : "";
  size_t n_bytes = forced.size();
  for (const TokenId id : context) {
    text += tokenizer_.PieceView(id);
    n_bytes += tokenizer_.PieceView(id).size();
  }
  text += forced;
  const std::vector<TokenId> ids = tokenizer_.Encode(text, {.add_special = false, .parse_special = false});
  // From the back: the tokens of the context and of what is forced must make up exactly their bytes.
  size_t begin = ids.size();
  size_t n_covered = 0;
  while (begin > 0 && n_covered < n_bytes) n_covered += tokenizer_.PieceView(ids[--begin]).size();
  const bool is_aligned = n_covered == n_bytes && ids.size() - begin > n_context &&
                          std::equal(context.begin(), context.end(), ids.begin() + static_cast<ptrdiff_t>(begin));
  if (!is_aligned) return {};
  std::vector<int32_t> behind(ids.begin() + static_cast<ptrdiff_t>(begin + n_context), ids.end());
  behind.pop_back();
  return behind;
}

}  // namespace rf
