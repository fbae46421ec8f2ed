// Which states of a grammar's automata can be finished, and whether its rules begin with themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "text/grammar/build.h"

namespace rf::grammar {

/// The automata of the rules in use, their states numbered through in the order of addition.
class MachineSet {
 public:
  void Add(RuleId rule, RuleMachine machine);
  bool Has(RuleId rule) const { return rule < places_.size() && places_[rule] != kNowhere; }
  const RuleMachine& machine(RuleId rule) const { return machines_[places_[rule]]; }
  uint32_t start(RuleId rule) const { return starts_[places_[rule]]; }
  const std::vector<RuleId>& order() const { return order_; }
  uint32_t n_states() const { return n_states_; }

  /// Takes out moves and calls that lead to states that are not live, and calls of rules that match nothing.
  void RemoveDead(const std::vector<bool>& is_live);

 private:
  static constexpr uint32_t kNowhere = 0xFFFFFFFF;
  std::vector<uint32_t> places_;
  std::vector<RuleMachine> machines_;
  std::vector<uint32_t> starts_;
  std::vector<RuleId> order_;
  uint32_t n_states_ = 0;
};

/// Whether each state can reach its rule's end.
std::vector<bool> LiveStates(const MachineSet& machines);

/// Rules that call each other before any byte, in a circle, reachable from `root`. REQUIRES: no dead states.
std::optional<std::vector<RuleId>> FindLeftRecursion(const MachineSet& machines, RuleId root);

}  // namespace rf::grammar
