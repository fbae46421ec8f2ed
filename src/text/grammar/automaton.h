// A compiled grammar: one pushdown automaton over bytes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "text/grammar/byte_set.h"
#include "text/grammar/dfa.h"
#include "text/grammar/expr.h"

namespace rf::grammar {

using StateId = uint32_t;
inline constexpr StateId kNoState = 0x7FFFFFFF;
/// Set in a move that ends a unit of a counted rule (and leads to its start).
inline constexpr uint32_t kUnitDone = 0x80000000;

/// Immutable. Every state has a way to its rule's end, so a text that the automaton has followed can always be finished
/// (within kMaxDepth), and what it cannot finish it does not follow.
class Automaton {
 public:
  struct State {
    RuleId rule;
    uint32_t row;  ///< its moves begin there
    uint32_t call_begin;
    uint32_t call_end;
    bool is_accepting;  ///< the rule may end here
    bool has_bytes;     ///< some byte may come
    bool is_wide;       ///< many may
    bool is_plain;      ///< nothing else: the rule can neither end nor call another one here
    bool is_last() const { return is_accepting && !has_bytes && call_begin == call_end; }
  };
  struct Call {
    RuleId rule;
    StateId start;   ///< of the rule
    StateId target;  ///< where to go on after it
  };
  /// A counted rule is a unit (from `start` to a move with kUnitDone) min to max times.
  struct RuleInfo {
    StateId start = kNoState;
    bool is_counted = false;
    bool has_calls = false;
    uint32_t min = 0;
    uint32_t max = 0;
    uint32_t n_classes = 0;
    std::array<uint8_t, 256> class_of{};
    ByteSet last_bytes{};  ///< those that the rule's texts may end with, or a unit's
    std::string key;       ///< equal for rules with the same moves, in any automaton; empty: not worth comparing
  };

  /// Checks and compiles the rules that the root reaches. `also`: further rules to compile; (*is_productive)[i] tells
  /// whether also[i] matches anything. Errors: kInvalidArgument (a rule is not defined, left recursion, the root
  /// matches nothing, too complex).
  static Result<std::shared_ptr<const Automaton>> Compile(const Grammar& grammar, const std::vector<RuleId>& also = {},
                                                          std::vector<bool>* is_productive = nullptr);

  StateId root() const { return root_; }
  const State& state(StateId id) const { return states_[id]; }
  const RuleInfo& rule(RuleId id) const { return rules_[id]; }
  const Call& call(uint32_t index) const { return calls_[index]; }
  const ByteSet& bytes(StateId id) const { return bytes_[id]; }
  size_t n_states() const { return states_.size(); }

  /// The move, perhaps with kUnitDone; kNoState.
  uint32_t Next(StateId id, uint8_t byte) const {
    const State& from = states_[id];
    return next_[from.row + rules_[from.rule].class_of[byte]];
  }

 private:
  friend class AutomatonBuilder;
  std::vector<State> states_;
  std::vector<uint32_t> next_;
  std::vector<Call> calls_;
  std::vector<ByteSet> bytes_;
  std::vector<RuleInfo> rules_;
  StateId root_ = kNoState;
};

}  // namespace rf::grammar
