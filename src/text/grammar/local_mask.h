// What a state allows, as far as its own rule decides it.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "text/grammar/automaton.h"
#include "text/grammar/byte_trie.h"

namespace rf::grammar {

/// Bit i % 64 of word i / 64: token i.
using Mask = std::vector<uint64_t>;

/// The tokens that a state of a rule allows without regard to the rule's callers: those that stay inside the rule (or
/// end exactly where it may end), and the rest of those that run beyond its end, for the caller to judge. In a counted
/// rule all of that depends on the number of units that may still come.
class LocalMask {
 public:
  /// What is left of tokens after the rule's end; ByteTrie::Entry::n_units counts the units before it.
  struct Tail {
    uint32_t node;  ///< of the vocabulary's trie: everything below it
    uint32_t n_units;
  };

  /// The tokens that stay inside when n_units may still come, if that mask is kept; otherwise null, and CopyAllowed()
  /// makes it. Valid as long as this is.
  const Mask* Allowed(uint32_t n_units) const {
    if (n_units >= max_units_) return &all_;
    return n_units < by_limit_.size() ? &by_limit_[n_units] : nullptr;
  }
  Mask CopyAllowed(uint32_t n_units) const;
  const ByteTrie& tails() const { return tails_; }
  const std::vector<Tail>& long_tails() const { return long_tails_; }
  bool has_tails() const { return !tails_.empty() || !long_tails_.empty(); }
  size_t size_bytes() const;

 private:
  friend class LocalMaskBuilder;
  Mask all_;
  uint32_t max_units_ = 0;                             ///< of any token
  std::vector<Mask> by_limit_;                         ///< [n_units], for few units
  std::vector<std::pair<uint32_t, int32_t>> longest_;  ///< (units, token) of tokens with more, ascending
  ByteTrie tails_;
  std::vector<Tail> long_tails_;
};

/// Collects a walk's findings.
class LocalMaskBuilder {
 public:
  LocalMaskBuilder(const ByteTrie& trie, size_t n_words) : trie_(trie), mask_(n_words, 0) {}
  /// The tokens at `node` stay inside after n_units units at most.
  void Allow(uint32_t node, uint32_t n_units);
  /// The rule may end at `node`, after n_units units.
  void End(uint32_t node, uint32_t n_units);
  LocalMask Finish();

 private:
  void AddShortTails();
  const ByteTrie& trie_;
  Mask mask_;
  std::vector<std::vector<int32_t>> by_units_;  ///< [n_units - 1]: tokens
  std::vector<LocalMask::Tail> ends_;
  LocalMask result_;
};

}  // namespace rf::grammar
