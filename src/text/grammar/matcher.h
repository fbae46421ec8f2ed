// Follows a text through a grammar, token by token, and says which tokens may come next.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "text/grammar/automaton.h"
#include "text/grammar/token_set.h"
#include "text/grammar/vocabulary.h"

namespace rf::grammar {

class Table;

/// A grammar for a vocabulary, with all that was found out about it so far. Shared by matchers; safe to use from
/// several threads.
class CompiledGrammar {
 public:
  CompiledGrammar(std::shared_ptr<const Automaton> automaton, std::shared_ptr<const Vocabulary> vocabulary);
  ~CompiledGrammar();

  const Vocabulary& vocabulary() const { return *vocabulary_; }

 private:
  friend class Matcher;
  std::shared_ptr<const Automaton> automaton_;
  std::shared_ptr<const Vocabulary> vocabulary_;
  mutable std::mutex mutex_;              ///< guards the table's content, too
  mutable std::shared_ptr<Table> table_;  ///< replaced when it has grown too large
};

/// One text. Copies go on independently.
class Matcher {
 public:
  explicit Matcher(std::shared_ptr<const CompiledGrammar> grammar);
  ~Matcher();
  Matcher(const Matcher&);
  Matcher& operator=(const Matcher&);

  /// Whether not even an empty text can be followed: more readings than kMaxConfigurations. Then the other functions
  /// must not be called.
  bool is_dead() const { return set_ == kNoState; }

  /// Takes the next bytes. False: they are not allowed; then nothing has changed.
  bool AcceptBytes(std::string_view bytes);
  /// Takes the next token. False: it is not allowed. REQUIRES: a token of the vocabulary.
  bool AcceptToken(int32_t token);

  /// Bit i % 64 of word i / 64: token i may come next. Valid until the next call of a non-const function.
  std::span<const uint64_t> TokenMask();
  /// Whether the text may end here.
  bool IsComplete() const;
  /// Whether it can only end here.
  bool IsFinished() const;
  /// The bytes that must come next, whatever the model says; at most max_bytes.
  std::string ForcedBytes(size_t max_bytes) const;
  /// The bytes that may come next. For tests and generators.
  ByteSet NextBytes() const;
  /// How many ways there are to read the text so far, for tests: near kMaxConfigurations some are refused.
  size_t n_readings() const;

 private:
  void Renew();

  std::shared_ptr<const CompiledGrammar> grammar_;
  std::shared_ptr<Table> table_;
  uint32_t set_;
  MaskBuffer mask_;  ///< shows a set of the table
};

}  // namespace rf::grammar
