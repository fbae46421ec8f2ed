#include "text/grammar/liveness.h"

#include <algorithm>
#include <utility>

namespace rf::grammar {
namespace {

// Propagates "can reach the end" backwards over moves (if wanted) and over calls of rules whose start has it.
class Propagation {
 public:
  Propagation(const MachineSet& machines, bool over_bytes) : machines_(machines), over_bytes_(over_bytes) {
    sources_.resize(machines.n_states());
    callers_.resize(machines.n_states());
    holds_.resize(machines.n_states());
  }

  std::vector<bool> Run() {
    for (const RuleId rule : machines_.order()) AddEdges(rule);
    while (!todo_.empty()) {
      const uint32_t state = todo_.back();
      todo_.pop_back();
      if (holds_[state]) continue;
      holds_[state] = true;
      todo_.insert(todo_.end(), sources_[state].begin(), sources_[state].end());
      for (const CallEdge& edge : calls_by_target(state)) {
        if (holds_[edge.start]) todo_.push_back(edge.from);
      }
      for (const CallEdge& edge : callers_[state]) {
        if (holds_[edge.target]) todo_.push_back(edge.from);
      }
    }
    return std::move(holds_);
  }

 private:
  struct CallEdge {
    uint32_t from;
    uint32_t start;  // of the called rule
    uint32_t target;
  };

  std::vector<CallEdge>& calls_by_target(uint32_t state) {
    if (by_target_.empty()) by_target_.resize(machines_.n_states());
    return by_target_[state];
  }

  void AddEdges(RuleId rule) {
    const RuleMachine& machine = machines_.machine(rule);
    const Dfa& dfa = machine.dfa;
    const uint32_t base = machines_.start(rule);
    for (uint32_t state = 0; state < dfa.n_states(); ++state) {
      const bool ends = dfa.accepting[state] != 0 || (machine.is_counted && state == 0 && machine.min == 0);
      if (ends) todo_.push_back(base + state);
      for (uint32_t c = 0; over_bytes_ && c < dfa.n_classes; ++c) {
        const int32_t next = dfa.next[state * dfa.n_classes + c];
        if (next != kDead) sources_[base + static_cast<uint32_t>(next)].push_back(base + state);
      }
      for (uint32_t i = dfa.call_begin[state]; i < dfa.call_begin[state + 1]; ++i) {
        const CallEdge edge{base + state, machines_.start(dfa.calls[i].rule), base + dfa.calls[i].target};
        callers_[edge.start].push_back(edge);
        calls_by_target(edge.target).push_back(edge);
      }
    }
  }

  const MachineSet& machines_;
  bool over_bytes_;
  std::vector<std::vector<uint32_t>> sources_;
  std::vector<std::vector<CallEdge>> callers_;
  std::vector<std::vector<CallEdge>> by_target_;
  std::vector<bool> holds_;
  std::vector<uint32_t> todo_;
};

// The rules that a rule calls before any byte.
std::vector<RuleId> FirstCalls(const MachineSet& machines, RuleId rule, const std::vector<bool>& is_nullable) {
  const Dfa& dfa = machines.machine(rule).dfa;
  std::vector<RuleId> first;
  std::vector<bool> is_seen(dfa.n_states());
  std::vector<uint32_t> todo = {0};
  while (!todo.empty()) {
    const uint32_t state = todo.back();
    todo.pop_back();
    if (is_seen[state]) continue;
    is_seen[state] = true;
    for (uint32_t i = dfa.call_begin[state]; i < dfa.call_begin[state + 1]; ++i) {
      const Call& call = dfa.calls[i];
      first.push_back(call.rule);
      if (is_nullable[machines.start(call.rule)]) todo.push_back(call.target);
    }
  }
  return first;
}

}  // namespace

void MachineSet::Add(RuleId rule, RuleMachine machine) {
  if (rule >= places_.size()) places_.resize(rule + 1, kNowhere);
  places_[rule] = static_cast<uint32_t>(machines_.size());
  starts_.push_back(n_states_);
  order_.push_back(rule);
  n_states_ += machine.dfa.n_states();
  machines_.push_back(std::move(machine));
}

void MachineSet::RemoveDead(const std::vector<bool>& is_live) {
  for (size_t place = 0; place < machines_.size(); ++place) {
    Dfa& dfa = machines_[place].dfa;
    const uint32_t base = starts_[place];
    for (int32_t& next : dfa.next) {
      if (next != kDead && !is_live[base + static_cast<uint32_t>(next)]) next = kDead;
    }
    std::vector<Call> kept;
    std::vector<uint32_t> begin;
    for (uint32_t state = 0; state < dfa.n_states(); ++state) {
      begin.push_back(static_cast<uint32_t>(kept.size()));
      for (uint32_t i = dfa.call_begin[state]; i < dfa.call_begin[state + 1]; ++i) {
        const Call& call = dfa.calls[i];
        if (is_live[base + call.target] && is_live[start(call.rule)]) kept.push_back(call);
      }
    }
    begin.push_back(static_cast<uint32_t>(kept.size()));
    dfa.calls = std::move(kept);
    dfa.call_begin = std::move(begin);
  }
}

std::vector<bool> LiveStates(const MachineSet& machines) {
  return Propagation(machines, true).Run();
}

std::optional<std::vector<RuleId>> FindLeftRecursion(const MachineSet& machines, RuleId root) {
  const std::vector<bool> is_nullable = Propagation(machines, false).Run();
  enum class Mark : uint8_t { kNew, kOpen, kDone };
  struct Frame {
    RuleId rule;
    std::vector<RuleId> first;
    size_t next = 0;
  };
  std::vector<Mark> marks;
  for (const RuleId rule : machines.order()) marks.resize(std::max<size_t>(marks.size(), rule + size_t{1}), Mark::kNew);
  std::vector<RuleId> roots = machines.order();
  std::iter_swap(roots.begin(), std::find(roots.begin(), roots.end(), root));
  std::vector<Frame> path;
  for (const RuleId start : roots) {
    if (marks[start] == Mark::kNew) path.push_back({start, FirstCalls(machines, start, is_nullable)});
    marks[start] = marks[start] == Mark::kNew ? Mark::kOpen : marks[start];
    while (!path.empty()) {
      Frame& frame = path.back();
      if (frame.next == frame.first.size()) {
        marks[frame.rule] = Mark::kDone;
        path.pop_back();
        continue;
      }
      const RuleId called = frame.first[frame.next++];
      if (marks[called] == Mark::kOpen) {
        std::vector<RuleId> cycle;
        const auto begin =
            std::find_if(path.begin(), path.end(), [&](const Frame& item) { return item.rule == called; });
        for (auto item = begin; item != path.end(); ++item) cycle.push_back(item->rule);
        return cycle;
      }
      if (marks[called] == Mark::kDone) continue;
      marks[called] = Mark::kOpen;
      path.push_back({called, FirstCalls(machines, called, is_nullable)});
    }
  }
  return std::nullopt;
}

}  // namespace rf::grammar
