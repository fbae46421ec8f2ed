// From expressions to automata, one for each rule.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/grammar/dfa.h"
#include "text/grammar/expr.h"

namespace rf::grammar {

/// A rule's automaton. A counted rule is its `dfa`, the unit, min to max times; a unit is never empty and no unit is
/// the beginning of another.
struct RuleMachine {
  Dfa dfa;
  bool is_counted = false;
  uint32_t min = 0;
  uint32_t max = 0;
};

/// Builds automata of a grammar's rules. Small rules without calls become part of their callers; long repetitions of
/// one character become counted rules, which are added behind the grammar's own.
class MachineBuilder {
 public:
  MachineBuilder(const Grammar& grammar, Budget& budget);

  /// The automaton of rule `rule`, own or added. Errors: the budget's.
  Result<RuleMachine> Build(RuleId rule);

  /// An expression without calls as an automaton that counts in its states, trimmed. Errors: the budget's.
  Result<Dfa> BuildRegular(ExprId expr);
  bool HasCalls(ExprId expr) const { return facts_[expr].has_calls; }

  size_t n_rules() const { return grammar_.rules.size() + counted_.size(); }

 private:
  struct Facts {
    bool has_calls;
    uint32_t weight;  ///< states, roughly
  };
  struct Task {
    ExprId expr;
    uint32_t from;
    uint32_t to;
  };
  struct Counted {
    ExprId part;
    uint32_t min;
    uint32_t max;
  };

  void FindFacts(ExprId id);
  Result<Dfa> BuildExpr(ExprId expr);
  Status Run(const Task& task);
  Status Repeat(const Task& task, const Expr& expr);
  void Call(const Task& task, RuleId rule);
  void Chars(const Task& task, const CodePointSet& chars);
  void Embed(const Task& task, const Dfa& machine);
  void Path(const Task& task, const Graph& graph);
  /// The counted rule for this repetition, if it can be one.
  Result<bool> TryCount(const Task& task, const Expr& expr);

  const Grammar& grammar_;
  Budget& budget_;
  std::vector<Facts> facts_;
  std::vector<Counted> counted_;
  std::map<ExprId, RuleId> counted_rules_;  ///< kNoRule: cannot be counted
  bool may_count_ = true;
  Nfa nfa_;
  std::vector<Task> tasks_;
};

}  // namespace rf::grammar
