#include "text/grammar/dfa.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

namespace rf::grammar {
namespace {

using StateSet = std::u32string;  // of ascending NFA states: the standard library can hash it

class SubsetConstruction {
 public:
  SubsetConstruction(const Nfa& nfa, uint32_t accept, Budget& budget)
      : nfa_(nfa), accept_(accept), budget_(budget), mark_(nfa.n_states(), 0) {}

  Result<Dfa> Run(uint32_t start) {
    FindClasses();
    RF_ASSIGN_OR_RETURN(const int32_t first, StateOf({start}));
    (void)first;
    for (uint32_t state = 0; state < subsets_.size(); ++state) RF_RETURN_IF_ERROR(Expand(state));
    dfa_.call_begin.push_back(static_cast<uint32_t>(dfa_.calls.size()));
    return std::move(dfa_);
  }

 private:
  void FindClasses() {
    bool is_border[257] = {};
    for (const Nfa::Edge& edge : nfa_.edges()) {
      if (edge.kind != Nfa::EdgeKind::kBytes) continue;
      is_border[edge.first] = true;
      is_border[edge.last + 1] = true;
    }
    uint8_t current = 0;
    for (int byte = 0; byte < 256; ++byte) {
      if (byte > 0 && is_border[byte]) ++current;
      dfa_.class_of[static_cast<size_t>(byte)] = current;
    }
    dfa_.n_classes = uint32_t{current} + 1;
    targets_.resize(dfa_.n_classes);
  }

  // The state of the empty closure of `seeds`; kDead if it is of no use.
  Result<int32_t> StateOf(const std::vector<uint32_t>& seeds) {
    ++stamp_;
    todo_.assign(seeds.begin(), seeds.end());
    StateSet set;
    bool is_accepting = false;
    int64_t n_steps = 0;
    while (!todo_.empty()) {
      const uint32_t state = todo_.back();
      todo_.pop_back();
      if (mark_[state] == stamp_) continue;
      mark_[state] = stamp_;
      bool has_symbols = false;
      for (uint32_t i = nfa_.head(state); i != Nfa::kNone; i = nfa_.edges()[i].next, ++n_steps) {
        const Nfa::Edge& edge = nfa_.edges()[i];
        if (edge.kind == Nfa::EdgeKind::kEmpty) todo_.push_back(edge.to);
        has_symbols = has_symbols || edge.kind != Nfa::EdgeKind::kEmpty;
      }
      is_accepting = is_accepting || state == accept_;
      if (has_symbols || state == accept_) set.push_back(state);
    }
    RF_RETURN_IF_ERROR(budget_.Spend(n_steps + 1, 0));
    if (set.empty() && !subsets_.empty()) return kDead;
    std::sort(set.begin(), set.end());
    const auto [found, is_new] = known_.emplace(std::move(set), static_cast<int32_t>(subsets_.size()));
    if (is_new) {
      RF_RETURN_IF_ERROR(budget_.Spend(dfa_.n_classes, 1));
      subsets_.push_back(&found->first);
      dfa_.accepting.push_back(is_accepting);
      dfa_.next.insert(dfa_.next.end(), dfa_.n_classes, kDead);
    }
    return found->second;
  }

  Status Expand(uint32_t state) {
    for (auto& list : targets_) list.clear();
    call_targets_.clear();
    int64_t n_steps = 0;
    for (const uint32_t member : *subsets_[state]) {
      for (uint32_t i = nfa_.head(member); i != Nfa::kNone; i = nfa_.edges()[i].next, ++n_steps) {
        const Nfa::Edge& edge = nfa_.edges()[i];
        if (edge.kind == Nfa::EdgeKind::kCall) call_targets_.emplace_back(edge.rule, edge.to);
        if (edge.kind != Nfa::EdgeKind::kBytes) continue;
        const size_t last = dfa_.class_of[edge.last];
        for (size_t c = dfa_.class_of[edge.first]; c <= last; ++c, ++n_steps) targets_[c].push_back(edge.to);
      }
    }
    RF_RETURN_IF_ERROR(budget_.Spend(n_steps, 0));
    RF_RETURN_IF_ERROR(ExpandBytes(state));
    return ExpandCalls();
  }

  Status ExpandBytes(uint32_t state) {
    for (size_t c = 0; c < dfa_.n_classes; ++c) {
      if (targets_[c].empty()) continue;
      int32_t& next = dfa_.next[state * dfa_.n_classes + c];
      if (c > 0 && targets_[c] == targets_[c - 1]) {
        next = dfa_.next[state * dfa_.n_classes + c - 1];
        continue;
      }
      RF_ASSIGN_OR_RETURN(const int32_t target, StateOf(targets_[c]));
      dfa_.next[state * dfa_.n_classes + c] = target;
    }
    return {};
  }

  Status ExpandCalls() {
    dfa_.call_begin.push_back(static_cast<uint32_t>(dfa_.calls.size()));
    std::sort(call_targets_.begin(), call_targets_.end());
    std::vector<uint32_t> seeds;
    for (size_t i = 0; i < call_targets_.size(); ++i) {
      seeds.push_back(call_targets_[i].second);
      if (i + 1 < call_targets_.size() && call_targets_[i + 1].first == call_targets_[i].first) continue;
      RF_ASSIGN_OR_RETURN(const int32_t target, StateOf(seeds));
      if (target != kDead) dfa_.calls.push_back({call_targets_[i].first, static_cast<uint32_t>(target)});
      seeds.clear();
    }
    return {};
  }

  const Nfa& nfa_;
  uint32_t accept_;
  Budget& budget_;
  Dfa dfa_;
  std::unordered_map<StateSet, int32_t> known_;
  std::vector<const StateSet*> subsets_;
  std::vector<uint32_t> mark_;
  uint32_t stamp_ = 0;
  std::vector<uint32_t> todo_;
  std::vector<std::vector<uint32_t>> targets_;
  std::vector<std::pair<RuleId, uint32_t>> call_targets_;
};

// Runs both at once. Where b is dead its state is kDead, which matters to subtraction only.
Result<Dfa> Product(const Dfa& a, const Dfa& b, bool is_subtraction, Budget& budget) {
  Dfa product;
  uint8_t current = 0;
  std::vector<std::pair<uint8_t, uint8_t>> pairs = {{a.class_of[0], b.class_of[0]}};
  for (size_t byte = 0; byte < 256; ++byte) {
    const std::pair<uint8_t, uint8_t> pair = {a.class_of[byte], b.class_of[byte]};
    const auto found = std::find(pairs.begin(), pairs.end(), pair);
    current = static_cast<uint8_t>(found - pairs.begin());
    if (found == pairs.end()) pairs.push_back(pair);
    product.class_of[byte] = current;
  }
  product.n_classes = static_cast<uint32_t>(pairs.size());
  std::vector<std::pair<int32_t, int32_t>> states;
  std::unordered_map<uint64_t, int32_t> known;
  const auto state_of = [&](int32_t x, int32_t y) {
    const uint64_t key = uint64_t{static_cast<uint32_t>(x)} << 32 | static_cast<uint32_t>(y);
    const auto [found, is_new] = known.emplace(key, static_cast<int32_t>(states.size()));
    if (is_new) {
      states.emplace_back(x, y);
      const bool in_b = y != kDead && b.accepting[static_cast<size_t>(y)] != 0;
      product.accepting.push_back(a.accepting[static_cast<size_t>(x)] != 0 && in_b != is_subtraction);
    }
    return found->second;
  };
  state_of(0, 0);
  for (size_t i = 0; i < states.size(); ++i) {
    const auto [x, y] = states[i];
    RF_RETURN_IF_ERROR(budget.Spend(product.n_classes, 1));
    for (const auto& [class_a, class_b] : pairs) {
      const int32_t next_a = a.next[static_cast<size_t>(x) * a.n_classes + class_a];
      const int32_t next_b = y == kDead ? kDead : b.next[static_cast<size_t>(y) * b.n_classes + class_b];
      const bool is_dead = next_a == kDead || (next_b == kDead && !is_subtraction);
      product.next.push_back(is_dead ? kDead : state_of(next_a, next_b));
    }
  }
  product.call_begin.assign(product.n_states() + 1, 0);
  Trim(product);
  return product;
}

}  // namespace

Status Budget::Spend(int64_t n_steps, size_t n_states) {
  steps -= n_steps;
  if (steps < 0 || n_states > states) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("too complex: it needs more than {} states or {} steps to compile; smaller repetition "
                             "bounds or fewer alternatives help",
                             kMaxStates, kMaxSteps),
                 ""};
  }
  states -= n_states;
  return {};
}

Result<Dfa> Determinize(const Nfa& nfa, uint32_t start, uint32_t accept, Budget& budget) {
  return SubsetConstruction(nfa, accept, budget).Run(start);
}

Result<Dfa> Intersect(const Dfa& a, const Dfa& b, Budget& budget) {
  return Product(a, b, false, budget);
}

Result<Dfa> Subtract(const Dfa& a, const Dfa& b, Budget& budget) {
  return Product(a, b, true, budget);
}

void Trim(Dfa& dfa) {
  std::vector<std::vector<uint32_t>> sources(dfa.n_states());
  std::vector<uint32_t> todo;
  std::vector<uint8_t> is_live(dfa.n_states(), 0);
  for (uint32_t state = 0; state < dfa.n_states(); ++state) {
    for (uint32_t c = 0; c < dfa.n_classes; ++c) {
      const int32_t next = dfa.next[state * dfa.n_classes + c];
      if (next == kDead) continue;
      auto& list = sources[static_cast<size_t>(next)];
      if (list.empty() || list.back() != state) list.push_back(state);
    }
    if (dfa.accepting[state] != 0) todo.push_back(state);
  }
  while (!todo.empty()) {
    const uint32_t state = todo.back();
    todo.pop_back();
    if (is_live[state] != 0) continue;
    is_live[state] = 1;
    todo.insert(todo.end(), sources[state].begin(), sources[state].end());
  }
  for (int32_t& next : dfa.next) {
    if (next != kDead && is_live[static_cast<size_t>(next)] == 0) next = kDead;
  }
}

bool Accepts(const Dfa& dfa, std::string_view bytes) {
  int32_t state = 0;
  for (const char byte : bytes) {
    state = dfa.Next(static_cast<uint32_t>(state), static_cast<uint8_t>(byte));
    if (state == kDead) return false;
  }
  return dfa.accepting[static_cast<size_t>(state)] != 0;
}

bool IsEmpty(const Dfa& dfa) {
  if (dfa.accepting[0] != 0) return false;
  for (uint32_t c = 0; c < dfa.n_classes; ++c) {
    if (dfa.next[c] != kDead) return false;
  }
  return true;
}

}  // namespace rf::grammar
