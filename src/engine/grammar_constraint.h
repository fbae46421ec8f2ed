// Grammars as constraints on tokens, and the place that compiles and keeps them.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/sampler/token_constraint.h"
#include "text/grammar/compile.h"
#include "text/grammar/matcher.h"
#include "text/tokenizer/tokenizer.h"

namespace rf {

/// Compiles grammars for one vocabulary and keeps the latest, so that requests that repeat one share what was found out
/// about it. The vocabulary's trie is built with the first grammar. Safe to use from several threads.
class GrammarLibrary {
 public:
  explicit GrammarLibrary(std::shared_ptr<const Tokenizer> tokenizer) : tokenizer_(std::move(tokenizer)) {}

  /// Errors: those of grammar::Compile().
  Result<std::shared_ptr<const grammar::CompiledGrammar>> Get(const grammar::GrammarSource& source);

 private:
  static constexpr size_t kMaxKept = 16;
  struct Kept {
    grammar::GrammarSource source;
    std::shared_ptr<const grammar::CompiledGrammar> grammar;
  };

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::mutex mutex_;
  std::shared_ptr<const grammar::Vocabulary> vocabulary_;
  std::list<Kept> kept_;  ///< latest first
};

/// A grammar's constraint on one sequence.
class GrammarConstraint final : public TokenConstraint {
 public:
  /// `end_ids`: tokens that end the text. REQUIRES: `tokenizer` outlives this. `takes_forced`: whether TakeForced()
  /// ever gives tokens.
  GrammarConstraint(std::shared_ptr<const grammar::CompiledGrammar> grammar, const Tokenizer& tokenizer,
                    std::vector<TokenId> end_ids, bool takes_forced = true);

  std::span<const uint64_t> Mask() override;
  bool Accept(int32_t id) override;
  bool IsFinished() const override { return is_ended_ || matcher_.IsFinished(); }
  /// As the tokenizer would write them behind the tokens so far, but for the last one, which could become another one
  /// with what follows; none where the tokenizer would have written the tokens so far differently.
  std::vector<int32_t> TakeForced() override;

 private:
  /// Tokens of `forced` behind the last n_context tokens.
  std::vector<int32_t> Encode(const std::string& forced, size_t n_context) const;

  grammar::Matcher matcher_;
  const Tokenizer& tokenizer_;
  std::vector<TokenId> end_ids_;
  bool takes_forced_;
  bool is_ended_ = false;
  std::vector<TokenId> recent_;  ///< the last tokens
  std::vector<uint64_t> mask_;
};

}  // namespace rf
