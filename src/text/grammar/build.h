// From expressions to automata, one for each rule.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/grammar/byte_set.h"
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
    bool has_calls = false;
    bool is_nullable = false;    ///< nothing is enough
    bool has_wide_loop = false;  ///< something that begins with any of many bytes comes any number of times
    uint32_t weight = 1;         ///< states, roughly
    uint32_t variety = 1;        ///< how many texts match, roughly
    ByteSet first{};             ///< bytes that texts begin with, but for those of calls
  };
  struct Task {
    ExprId expr;
    uint32_t from;
    uint32_t to;
    bool is_clear_cut = true;  ///< what may follow does not begin like the expression itself
  };
  struct Counted {
    ExprId part;
    uint32_t min;
    uint32_t max;
  };

  void FindFacts(ExprId id);
  Facts FactsOf(const Expr& expr) const;
  Result<Dfa> BuildExpr(ExprId expr);
  Status Run(const Task& task);
  void Sequence(const Task& task, const std::vector<ExprId>& parts);
  Status Repeat(const Task& task, const Expr& expr);
  bool IsWorthCounting(const Task& task, const Expr& expr) const;
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
