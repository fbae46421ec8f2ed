#include "text/grammar/build.h"

#include <algorithm>

namespace rf::grammar {
namespace {

constexpr RuleId kNoRule = 0xFFFFFFFF;
constexpr uint32_t kMaxInlineWeight = 24;
constexpr uint32_t kMinCounted = 16;  // shorter repetitions are cheap as states, but for the masks of some
constexpr uint32_t kManyTexts = 1u << 14;
constexpr uint32_t kVeryMany = 1u << 30;

uint32_t Sum(uint32_t a, uint32_t b) {
  return std::min(a + b, kVeryMany);
}

uint32_t Product(uint32_t a, uint32_t b) {
  return static_cast<uint32_t>(std::min<uint64_t>(uint64_t{a} * b, kVeryMany));
}

uint32_t Power(uint32_t base, uint32_t exponent) {
  uint32_t power = 1;
  for (uint32_t i = 0; i < exponent && base > 1 && power < kVeryMany; ++i) power = Product(power, base);
  return power;
}

ByteSet FirstBytes(const CodePointSet& chars) {
  const auto lead = [](char32_t c) -> size_t {
    return c < 0x80 ? c : c < 0x800 ? 0xC0 | c >> 6 : c < 0x10000 ? 0xE0 | c >> 12 : 0xF0 | c >> 18;
  };
  ByteSet bytes{};
  for (const CodePointRange& range : chars.ranges()) {
    for (size_t byte = lead(range.first); byte <= lead(range.last); ++byte) AddByte(bytes, byte);
  }
  return bytes;
}

ByteSet Union(ByteSet a, const ByteSet& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] |= b[i];
  return a;
}

bool AreDisjoint(const ByteSet& a, const ByteSet& b) {
  return ((a[0] & b[0]) | (a[1] & b[1]) | (a[2] & b[2]) | (a[3] & b[3])) == 0;
}

ByteSet BytesOf(const Dfa& dfa, uint32_t state) {
  ByteSet bytes{};
  for (size_t byte = 0; byte < 256; ++byte) {
    if (dfa.Next(state, static_cast<uint8_t>(byte)) != kDead) AddByte(bytes, byte);
  }
  return bytes;
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
  while (facts_.size() <= id) facts_.push_back(FactsOf(grammar_.expr(static_cast<ExprId>(facts_.size()))));
}

MachineBuilder::Facts MachineBuilder::FactsOf(const Expr& expr) const {
  Facts facts;
  const auto take = [&](ExprId part, uint32_t times) {
    facts.has_calls = facts.has_calls || facts_[part].has_calls;
    facts.has_wide_loop = facts.has_wide_loop || facts_[part].has_wide_loop;
    facts.weight = Sum(facts.weight, Product(facts_[part].weight, times));
  };
  switch (expr.kind) {
    case ExprKind::kLiteral: {
      const std::string& bytes = grammar_.literal(expr);
      facts.weight += static_cast<uint32_t>(bytes.size());
      facts.is_nullable = bytes.empty();
      if (!bytes.empty()) AddByte(facts.first, static_cast<uint8_t>(bytes[0]));
      break;
    }
    case ExprKind::kChars:
      facts.variety = 0;
      for (const CodePointRange& range : grammar_.chars(expr).ranges()) facts.variety += range.last - range.first + 1;
      facts.first = FirstBytes(grammar_.chars(expr));
      break;
    case ExprKind::kSeq:
      facts.is_nullable = true;
      for (const ExprId part : grammar_.parts(expr)) {
        take(part, 1);
        if (facts.is_nullable) facts.first = Union(facts.first, facts_[part].first);
        facts.is_nullable = facts.is_nullable && facts_[part].is_nullable;
        facts.variety = Product(facts.variety, facts_[part].variety);
      }
      break;
    case ExprKind::kAlt:
      facts.variety = 0;
      for (const ExprId part : grammar_.parts(expr)) {
        take(part, 1);
        facts.first = Union(facts.first, facts_[part].first);
        facts.is_nullable = facts.is_nullable || facts_[part].is_nullable;
        facts.variety = Sum(facts.variety, facts_[part].variety);
      }
      break;
    case ExprKind::kRepeat: {
      const Facts& part = facts_[expr.index];
      take(expr.index, expr.max == kUnbounded ? expr.min + 1 : expr.max);
      facts.first = part.first;
      facts.is_nullable = expr.min == 0 || part.is_nullable;
      facts.variety = Power(part.variety, expr.max);
      facts.has_wide_loop = facts.has_wide_loop || (expr.max == kUnbounded && IsWide(part.first));
      break;
    }
    case ExprKind::kMachine: {
      const Dfa& machine = *grammar_.machine(expr);
      facts.weight += machine.n_states();
      facts.variety = kVeryMany;
      facts.first = BytesOf(machine, 0);
      facts.is_nullable = machine.accepting[0] != 0;
      // Larger ones stay rules of their own anyhow.
      for (uint32_t i = 0; i < machine.n_states() && machine.n_states() <= kMaxInlineWeight; ++i) {
        facts.has_wide_loop = facts.has_wide_loop || IsWide(BytesOf(machine, i));
      }
      break;
    }
    case ExprKind::kGraph:
      facts.variety = kVeryMany;
      for (const GraphEdge& edge : grammar_.graph(expr).edges) take(edge.expr, 1);
      break;
    case ExprKind::kRule: facts.has_calls = true; break;
  }
  return facts;
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
    case ExprKind::kSeq: Sequence(task, grammar_.parts(expr)); return {};
    case ExprKind::kAlt:
      for (const ExprId part : grammar_.parts(expr)) tasks_.push_back({part, task.from, task.to, task.is_clear_cut});
      return {};
    case ExprKind::kRepeat: return Repeat(task, expr);
    case ExprKind::kChars: Chars(task, grammar_.chars(expr)); return {};
    case ExprKind::kRule: Call(task, expr.index); return {};
    case ExprKind::kMachine: Embed(task, *grammar_.machine(expr)); return {};
    case ExprKind::kGraph: Path(task, grammar_.graph(expr)); return {};
  }
  return {};
}

void MachineBuilder::Sequence(const Task& task, const std::vector<ExprId>& parts) {
  if (parts.empty()) nfa_.AddEmpty(task.from, task.to);
  ByteSet following{};
  uint32_t to = task.to;
  for (size_t i = parts.size(); i > 0; --i) {
    const Facts& facts = facts_[parts[i - 1]];
    const uint32_t from = i == 1 ? task.from : nfa_.AddState();
    tasks_.push_back({parts[i - 1], from, to, AreDisjoint(facts.first, following)});
    following = facts.is_nullable ? Union(following, facts.first) : facts.first;
    to = from;
  }
}

void MachineBuilder::Call(const Task& task, RuleId rule) {
  const Rule& called = grammar_.rules[rule];
  FindFacts(called.body);
  const Facts& facts = facts_[called.body];
  if (!called.is_shared && !facts.has_calls && !facts.has_wide_loop && facts.weight <= kMaxInlineWeight) {
    tasks_.push_back({called.body, task.from, task.to, task.is_clear_cut});
  } else {
    nfa_.AddCall(task.from, rule, task.to);
  }
}

// Long repetitions would be many states; in short ones of many texts each state would have a large mask of its own,
// while a counted rule's states share them.
bool MachineBuilder::IsWorthCounting(const Task& task, const Expr& expr) const {
  if (!may_count_ || HasCalls(expr.index)) return false;
  if (expr.max == kUnbounded) return expr.min > kMinCounted;
  if (expr.max > kMinCounted) return true;
  return expr.max > 1 && task.is_clear_cut && IsWide(facts_[task.expr].first) &&
         facts_[task.expr].variety >= kManyTexts;
}

Result<bool> MachineBuilder::TryCount(const Task& task, const Expr& expr) {
  if (!IsWorthCounting(task, expr)) return false;
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
