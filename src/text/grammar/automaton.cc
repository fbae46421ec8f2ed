#include "text/grammar/automaton.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"
#include "text/grammar/build.h"
#include "text/grammar/liveness.h"

namespace rf::grammar {
namespace {

constexpr uint32_t kMaxKeyStates = 64;

Error BadGrammar(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), ""};
}

}  // namespace

class AutomatonBuilder {
 public:
  explicit AutomatonBuilder(const Grammar& grammar) : grammar_(grammar), builder_(grammar, budget_) {}

  Result<std::shared_ptr<const Automaton>> Run(const std::vector<RuleId>& also, std::vector<bool>* is_productive) {
    RF_RETURN_IF_ERROR(BuildReachable(also));
    const std::vector<bool> is_live = LiveStates(machines_);
    if (is_productive != nullptr) {
      for (const RuleId rule : also) is_productive->push_back(is_live[machines_.start(rule)]);
    }
    if (!is_live[machines_.start(grammar_.root)]) return BadGrammar("matches nothing at all, not even the empty text");
    machines_.RemoveDead(is_live);
    if (const auto cycle = FindLeftRecursion(machines_, grammar_.root)) return LeftRecursion(*cycle);
    return Assemble();
  }

 private:
  Status BuildReachable(const std::vector<RuleId>& also) {
    std::vector<RuleId> todo = also;
    todo.push_back(grammar_.root);
    while (!todo.empty()) {
      const RuleId rule = todo.back();
      todo.pop_back();
      if (machines_.Has(rule)) continue;
      if (rule < grammar_.rules.size() && grammar_.rules[rule].body == kNoExpr) {
        return BadGrammar(fmt::format("rule '{}' is not defined", EscapeForMessage(grammar_.rules[rule].name, 80)));
      }
      RF_ASSIGN_OR_RETURN(RuleMachine machine, builder_.Build(rule));
      for (const Call& call : machine.dfa.calls) todo.push_back(call.rule);
      machines_.Add(rule, std::move(machine));
    }
    return {};
  }

  Error LeftRecursion(const std::vector<RuleId>& cycle) const {
    std::string path;
    for (const RuleId rule : cycle) path += EscapeForMessage(grammar_.rules[rule].name, 40) + " -> ";
    path += EscapeForMessage(grammar_.rules[cycle[0]].name, 40);
    return BadGrammar(fmt::format("left recursion: {}; write it as a repetition, e.g. 'list ::= item (\",\" item)*'",
                                  path.size() > 200 ? path.substr(0, 200) + "..." : path));
  }

  Result<std::shared_ptr<const Automaton>> Assemble() {
    auto automaton = std::make_shared<Automaton>();
    automaton->rules_.resize(builder_.n_rules());
    std::vector<StateId> start(builder_.n_rules(), kNoState);
    StateId n_states = 0;
    for (const RuleId rule : machines_.order()) {
      start[rule] = n_states;
      n_states += machines_.machine(rule).dfa.n_states();
    }
    for (const RuleId rule : machines_.order()) AddRule(*automaton, rule, start);
    automaton->root_ = start[grammar_.root];
    return std::shared_ptr<const Automaton>(std::move(automaton));
  }

  static std::string Key(const RuleMachine& machine) {
    const Dfa& dfa = machine.dfa;
    if (!dfa.calls.empty() || dfa.n_states() > kMaxKeyStates) return "";
    std::string key(1, machine.is_counted ? 'c' : 'r');
    key.append(reinterpret_cast<const char*>(dfa.class_of.data()), dfa.class_of.size());
    key.append(reinterpret_cast<const char*>(dfa.next.data()), dfa.next.size() * sizeof(dfa.next[0]));
    key.append(reinterpret_cast<const char*>(dfa.accepting.data()), dfa.accepting.size());
    return key;
  }

  void AddRule(Automaton& automaton, RuleId rule, const std::vector<StateId>& start) const {
    const RuleMachine& machine = machines_.machine(rule);
    const Dfa& dfa = machine.dfa;
    Automaton::RuleInfo& info = automaton.rules_[rule];
    info.start = start[rule];
    info.is_counted = machine.is_counted;
    info.has_calls = !dfa.calls.empty();
    info.min = machine.min;
    info.max = machine.max;
    info.n_classes = dfa.n_classes;
    info.class_of = dfa.class_of;
    info.key = Key(machine);
    std::vector<bool> is_last_class(dfa.n_classes);
    for (uint32_t state = 0; state < dfa.n_states(); ++state) {
      for (uint32_t c = 0; c < dfa.n_classes; ++c) {
        const int32_t next = dfa.next[state * dfa.n_classes + c];
        if (next != kDead && dfa.accepting[static_cast<size_t>(next)] != 0) is_last_class[c] = true;
        automaton.next_.push_back(Move(machine, info.start, next));
      }
      AddState(automaton, rule, state, start);
    }
    for (size_t byte = 0; byte < 256; ++byte) {
      if (is_last_class[dfa.class_of[byte]]) AddByte(info.last_bytes, byte);
    }
  }

  void AddState(Automaton& automaton, RuleId rule, uint32_t state, const std::vector<StateId>& start) const {
    const RuleMachine& machine = machines_.machine(rule);
    const Dfa& dfa = machine.dfa;
    const bool is_accepting = dfa.accepting[state] != 0;
    const bool has_calls = dfa.call_begin[state] != dfa.call_begin[state + 1];
    const ByteSet bytes = BytesOf(dfa, state);
    const bool has_bytes = bytes != ByteSet{};
    const bool may_end = machine.is_counted ? state == 0 : is_accepting;
    Automaton::State added{rule,
                           static_cast<uint32_t>(automaton.next_.size() - dfa.n_classes),
                           static_cast<uint32_t>(automaton.calls_.size()),
                           0,
                           is_accepting,
                           has_bytes,
                           IsWide(bytes),
                           has_bytes && !may_end && !has_calls};
    for (uint32_t i = dfa.call_begin[state]; i < dfa.call_begin[state + 1]; ++i) {
      const Call& call = dfa.calls[i];
      automaton.calls_.push_back({call.rule, start[call.rule], start[rule] + call.target});
    }
    added.call_end = static_cast<uint32_t>(automaton.calls_.size());
    automaton.states_.push_back(added);
    automaton.bytes_.push_back(bytes);
  }

  static uint32_t Move(const RuleMachine& machine, StateId start, int32_t next) {
    if (next == kDead) return kNoState;
    const bool ends_unit = machine.is_counted && machine.dfa.accepting[static_cast<size_t>(next)] != 0;
    return ends_unit ? start | kUnitDone : start + static_cast<uint32_t>(next);
  }

  static ByteSet BytesOf(const Dfa& dfa, uint32_t state) {
    ByteSet bytes{};
    for (size_t byte = 0; byte < 256; ++byte) {
      if (dfa.Next(state, static_cast<uint8_t>(byte)) != kDead) AddByte(bytes, byte);
    }
    return bytes;
  }

  const Grammar& grammar_;
  Budget budget_;
  MachineBuilder builder_;
  MachineSet machines_;
};

Result<std::shared_ptr<const Automaton>> Automaton::Compile(const Grammar& grammar, const std::vector<RuleId>& also,
                                                            std::vector<bool>* is_productive) {
  return AutomatonBuilder(grammar).Run(also, is_productive);
}

}  // namespace rf::grammar
