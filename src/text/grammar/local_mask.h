// What a state of a rule without calls allows inside of the rule.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "text/grammar/automaton.h"
#include "text/grammar/token_set.h"

namespace rf::grammar {

class Vocabulary;

/// The tokens that stay inside the rule, or end where it may end. In a counted rule that depends on the number of units
/// that may still come. Tokens that run beyond the rule's end are the callers' business.
class LocalMask {
 public:
  /// REQUIRES: a state of a rule without calls.
  LocalMask(const Automaton& automaton, StateId state, const Vocabulary& vocabulary);

  /// The tokens that stay inside while n_units units may still come: those of `mask` that are not in `without`.
  struct Allowed {
    const Mask& mask;
    std::span<const int32_t> without;
  };
  Allowed Inside(uint32_t n_units) const;
  size_t size_bytes() const;

 private:
  void WalkPlain(const Automaton& automaton, StateId state, const Vocabulary& vocabulary);
  void WalkCounted(const Automaton& automaton, StateId state, const Vocabulary& vocabulary);

  Mask all_;
  std::vector<Mask> by_limit_;         ///< [n_units], for few units
  std::vector<int32_t> longest_;       ///< the tokens with more, in the order of their units
  std::vector<size_t> longest_begin_;  ///< [n_units - by_limit_.size()]: where the tokens with more than n_units begin
};

/// The number of units of the rule that `bytes` are from `state` on, if the rule may end there; otherwise -1.
int32_t UnitsToEnd(const Automaton& automaton, StateId state, std::string_view bytes);

}  // namespace rf::grammar
