#include "text/grammar/build.h"

#include <algorithm>

namespace rf::grammar {
namespace {

constexpr RuleId kNoRule = 0xFFFFFFFF;
constexpr uint32_t kMaxInlineWeight = 24;
constexpr uint32_t kMinCounted = 16;  // shorter repetitions are cheap as states

uint32_t SaturatingProduct(uint32_t a, uint32_t b) {
  return static_cast<uint32_t>(std::min<uint64_t>(uint64_t{a} * b, 1u << 30));
}

// No unit is empty or the beginning of another one.
bool IsPrefixFree(const Dfa& unit) {
  if (unit.accepting[0] != 0) return false;
  for (uint32_t state = 0; state < unit.n_states(); ++state) {
    if (unit.accepting[state] == 0) continue;
    for (uint32_t c = 0; c < unit.n_classes; ++c) {
      if (unit.next[state * unit.n_classes + c] != kDead) return false;
    }
  }
  return true;
}

}  // namespace

MachineBuilder::MachineBuilder(const Grammar& grammar, Budget& budget) : grammar_(grammar), budget_(budget) {}

void MachineBuilder::FindFacts(ExprId id) {
  for (ExprId i = static_cast<ExprId>(facts_.size()); i <= id; ++i) {
    const Expr& expr = grammar_.expr(i);
    Facts facts{expr.kind == ExprKind::kRule, 1};
    const auto take = [&](ExprId part, uint32_t times) {
      facts.has_calls = facts.has_calls || facts_[part].has_calls;
      facts.weight = std::min(facts.weight + SaturatingProduct(facts_[part].weight, times), 1u << 30);
    };
    switch (expr.kind) {
      case ExprKind::kLiteral: facts.weight += static_cast<uint32_t>(grammar_.literal(expr).size()); break;
      case ExprKind::kSeq:
      case ExprKind::kAlt:
        for (const ExprId part : grammar_.parts(expr)) take(part, 1);
        break;
      case ExprKind::kRepeat: take(expr.index, expr.max == kUnbounded ? expr.min + 1 : expr.max); break;
      case ExprKind::kMachine: facts.weight += grammar_.machine(expr)->n_states(); break;
      case ExprKind::kGraph:
        for (const GraphEdge& edge : grammar_.graph(expr).edges) take(edge.expr, 1);
        break;
      default: break;
    }
    facts_.push_back(facts);
  }
}

Result<RuleMachine> MachineBuilder::Build(RuleId rule) {
  RuleMachine machine;
  const size_t n_own = grammar_.rules.size();
  if (rule < n_own) {
    RF_ASSIGN_OR_RETURN(machine.dfa, BuildExpr(grammar_.rules[rule].body));
    return machine;
  }
  const Counted counted = counted_[rule - n_own];
  RF_ASSIGN_OR_RETURN(machine.dfa, BuildRegular(counted.part));
  machine.is_counted = true;
  machine.min = counted.min;
  machine.max = counted.max;
  return machine;
}

Result<Dfa> MachineBuilder::BuildRegular(ExprId expr) {
  const bool might_count = may_count_;
  may_count_ = false;
  auto dfa = BuildExpr(expr);
  may_count_ = might_count;
  if (dfa) Trim(*dfa);
  return dfa;
}

Result<Dfa> MachineBuilder::BuildExpr(ExprId expr) {
  FindFacts(expr);
  // A unit is built while its repetition is: each has an automaton of its own.
  Nfa outer_nfa = std::exchange(nfa_, Nfa());
  std::vector<Task> outer_tasks = std::exchange(tasks_, {});
  const uint32_t start = nfa_.AddState();
  const uint32_t accept = nfa_.AddState();
  tasks_.push_back({expr, start, accept});
  Status status;
  while (!tasks_.empty() && status) {
    const Task task = tasks_.back();
    tasks_.pop_back();
    status = Run(task);
    if (status) status = budget_.Spend(1, 0);
    if (status && nfa_.n_states() > 4 * kMaxStates) status = budget_.Spend(kMaxSteps, 0);
  }
  Result<Dfa> dfa = status ? Determinize(nfa_, start, accept, budget_) : Result<Dfa>(std::move(status).error());
  nfa_ = std::move(outer_nfa);
  tasks_ = std::move(outer_tasks);
  return dfa;
}

Status MachineBuilder::Run(const Task& task) {
  const Expr& expr = grammar_.expr(task.expr);
  switch (expr.kind) {
    case ExprKind::kLiteral: {
      const std::string& bytes = grammar_.literal(expr);
      uint32_t from = task.from;
      for (size_t i = 0; i < bytes.size(); ++i) {
        const uint32_t to = i + 1 == bytes.size() ? task.to : nfa_.AddState();
        nfa_.AddBytes(from, static_cast<uint8_t>(bytes[i]), static_cast<uint8_t>(bytes[i]), to);
        from = to;
      }
      if (bytes.empty()) nfa_.AddEmpty(task.from, task.to);
      return {};
    }
    case ExprKind::kSeq: {
      const auto& parts = grammar_.parts(expr);
      uint32_t from = task.from;
      for (size_t i = 0; i < parts.size(); ++i) {
        const uint32_t to = i + 1 == parts.size() ? task.to : nfa_.AddState();
        tasks_.push_back({parts[i], from, to});
        from = to;
      }
      if (parts.empty()) nfa_.AddEmpty(task.from, task.to);
      return {};
    }
    case ExprKind::kAlt:
      for (const ExprId part : grammar_.parts(expr)) tasks_.push_back({part, task.from, task.to});
      return {};
    case ExprKind::kRepeat: return Repeat(task, expr);
    case ExprKind::kChars: Chars(task, grammar_.chars(expr)); return {};
    case ExprKind::kRule: Call(task, expr.index); return {};
    case ExprKind::kMachine: Embed(task, *grammar_.machine(expr)); return {};
    case ExprKind::kGraph: Path(task, grammar_.graph(expr)); return {};
  }
  return {};
}

void MachineBuilder::Call(const Task& task, RuleId rule) {
  const Rule& called = grammar_.rules[rule];
  FindFacts(called.body);
  const Facts& facts = facts_[called.body];
  if (!called.is_shared && !facts.has_calls && facts.weight <= kMaxInlineWeight) {
    tasks_.push_back({called.body, task.from, task.to});
  } else {
    nfa_.AddCall(task.from, rule, task.to);
  }
}

Result<bool> MachineBuilder::TryCount(const Task& task, const Expr& expr) {
  const bool is_long = expr.min > kMinCounted || (expr.max != kUnbounded && expr.max > kMinCounted);
  if (!may_count_ || !is_long || HasCalls(expr.index)) return false;
  const auto [found, is_new] = counted_rules_.emplace(task.expr, kNoRule);
  if (is_new) {
    RF_ASSIGN_OR_RETURN(const Dfa unit, BuildRegular(expr.index));
    if (IsPrefixFree(unit)) {
      found->second = static_cast<RuleId>(n_rules());
      counted_.push_back({expr.index, expr.min, expr.max});
    }
  }
  if (found->second == kNoRule) return false;
  nfa_.AddCall(task.from, found->second, task.to);
  return true;
}

Status MachineBuilder::Repeat(const Task& task, const Expr& expr) {
  const Expr repeat = expr;
  RF_ASSIGN_OR_RETURN(const bool is_counted, TryCount(task, repeat));
  if (is_counted) return {};
  uint32_t from = task.from;
  for (uint32_t i = 0; i < repeat.min; ++i) {
    const uint32_t to = nfa_.AddState();
    tasks_.push_back({repeat.index, from, to});
    from = to;
    RF_RETURN_IF_ERROR(budget_.Spend(1, 0));
  }
  if (repeat.max == kUnbounded) {
    const uint32_t loop = nfa_.AddState();
    nfa_.AddEmpty(from, loop);
    tasks_.push_back({repeat.index, loop, loop});
    nfa_.AddEmpty(loop, task.to);
    return {};
  }
  for (uint32_t i = repeat.min; i < repeat.max; ++i) {
    nfa_.AddEmpty(from, task.to);
    const uint32_t to = nfa_.AddState();
    tasks_.push_back({repeat.index, from, to});
    from = to;
    RF_RETURN_IF_ERROR(budget_.Spend(1, 0));
  }
  nfa_.AddEmpty(from, task.to);
  return {};
}

void MachineBuilder::Chars(const Task& task, const CodePointSet& chars) {
  for (const CodePointRange& range : chars.ranges()) {
    for (const ByteSequence& bytes : Utf8Sequences(range.first, range.last)) {
      uint32_t from = task.from;
      for (int i = 0; i < bytes.length; ++i) {
        const uint32_t to = i + 1 == bytes.length ? task.to : nfa_.AddState();
        nfa_.AddBytes(from, bytes.first[i], bytes.last[i], to);
        from = to;
      }
    }
  }
}

void MachineBuilder::Embed(const Task& task, const Dfa& machine) {
  const auto base = static_cast<uint32_t>(nfa_.n_states());
  for (uint32_t state = 0; state < machine.n_states(); ++state) nfa_.AddState();
  nfa_.AddEmpty(task.from, base);
  for (uint32_t state = 0; state < machine.n_states(); ++state) {
    if (machine.accepting[state] != 0) nfa_.AddEmpty(base + state, task.to);
    for (int first = 0, last = 0; first < 256; first = last + 1) {
      const int32_t next = machine.Next(state, static_cast<uint8_t>(first));
      last = first;
      while (last < 255 && machine.Next(state, static_cast<uint8_t>(last + 1)) == next) ++last;
      if (next == kDead) continue;
      nfa_.AddBytes(base + state, static_cast<uint8_t>(first), static_cast<uint8_t>(last),
                    base + static_cast<uint32_t>(next));
    }
  }
}

void MachineBuilder::Path(const Task& task, const Graph& graph) {
  // Node 0 and 1 get states of their own: the graph may loop through them.
  const auto base = static_cast<uint32_t>(nfa_.n_states());
  for (uint32_t node = 0; node < graph.n_nodes; ++node) nfa_.AddState();
  nfa_.AddEmpty(task.from, base);
  nfa_.AddEmpty(base + 1, task.to);
  for (const GraphEdge& edge : graph.edges) tasks_.push_back({edge.expr, base + edge.from, base + edge.to});
}

}  // namespace rf::grammar
