// Token masks: what each rule decides by itself is computed once and kept; only the rests of tokens that run beyond a
// rule's end are looked at anew for each caller.
#include <algorithm>

#include "text/grammar/limits.h"
#include "text/grammar/table.h"

namespace rf::grammar {
namespace {

void Unite(const Mask& from, Mask& into) {
  for (size_t i = 0; i < from.size(); ++i) into[i] |= from[i];
}

void SetBit(Mask& mask, int32_t token) {
  mask[static_cast<size_t>(token) / 64] |= uint64_t{1} << (static_cast<size_t>(token) % 64);
}

// Units that may still come after n_units of them.
uint32_t Remaining(const Automaton::RuleInfo& rule, uint32_t n_units) {
  return !rule.is_counted || rule.max == kUnbounded ? kUnbounded : rule.max - n_units;
}

}  // namespace

const Mask& Table::TokenMask(SetId set) {
  if (sets_[set].mask == nullptr) sets_[set].mask = &ComputeMask(set);
  return *sets_[set].mask;
}

const Mask& Table::ComputeMask(SetId set) {
  const uint32_t first = sets_[set].first_configuration;
  const uint32_t n = sets_[set].n_configurations;
  Mask mask;
  for (uint32_t i = first; i < first + n; ++i) {
    const Configuration item = configurations_[i];
    const auto& rule = automaton_->rule(automaton_->state(item.state).rule);
    if (rule.has_calls && frames_[item.stack].depth + vocabulary_->trie().max_depth() > kMaxDepth) {
      mask.resize(vocabulary_->n_words());
      AddDeep(item, mask);
      continue;
    }
    const LocalMask& local = LocalOf(item.state);
    const uint32_t n_left = Remaining(rule, item.n_units);
    const Mask* allowed = local.Allowed(n_left);
    const bool needs_caller = local.has_tails() && item.stack != kEmptyStack;
    if (n == 1 && !needs_caller && allowed != nullptr) return *allowed;
    if (mask.empty()) {
      mask = local.CopyAllowed(n_left);
    } else {
      Unite(allowed != nullptr ? *allowed : local.CopyAllowed(n_left), mask);
    }
    if (needs_caller) AddTails(local, item, mask);
  }
  if (mask.empty()) mask.resize(vocabulary_->n_words());
  size_bytes_ += mask.size() * sizeof(uint64_t);
  masks_.push_back(std::make_unique<Mask>(std::move(mask)));
  return *masks_.back();
}

// Lets the caller judge what comes after the end of the configuration's rule.
void Table::AddTails(const LocalMask& local, const Configuration& configuration, Mask& mask) {
  const auto& rule = automaton_->rule(automaton_->state(configuration.state).rule);
  const auto is_count_right = [&](uint32_t n_units) {
    if (!rule.is_counted) return true;
    const uint64_t total = uint64_t{configuration.n_units} + n_units;
    return total >= rule.min && (rule.max == kUnbounded || total <= rule.max);
  };
  const Frame frame = frames_[configuration.stack];
  seeds_ = {{frame.state, 0, frame.below}};
  const SetId caller = Close(seeds_);
  if (caller == kNoState) return;
  const auto walk = [&](const ByteTrie& trie, uint32_t root, auto is_right) {
    trie.Walk(
        root, caller, [this](SetId set, uint8_t byte) { return Move(set, byte); },
        [this](SetId set) -> const ByteSet& { return sets_[set].bytes; },
        [&](uint32_t node, SetId) {
          for (const auto* entry = trie.entries_begin(node); entry != trie.entries_end(node); ++entry) {
            if (is_right(*entry)) SetBit(mask, entry->token);
          }
        });
  };
  if (!local.tails().empty()) {
    walk(local.tails(), 0, [&](const ByteTrie::Entry& entry) { return is_count_right(entry.n_units); });
  }
  for (const LocalMask::Tail& tail : local.long_tails()) {
    if (is_count_right(tail.n_units)) walk(vocabulary_->trie(), tail.node, [](const auto&) { return true; });
  }
}

void Table::AddDeep(const Configuration& configuration, Mask& mask) {
  kept_ = {configuration};
  const SetId own = Intern(false);
  const ByteTrie& trie = vocabulary_->trie();
  trie.Walk(
      0, own, [this](SetId set, uint8_t byte) { return Move(set, byte); },
      [this](SetId set) -> const ByteSet& { return sets_[set].bytes; },
      [&](uint32_t node, SetId) {
        for (const auto* entry = trie.entries_begin(node); entry != trie.entries_end(node); ++entry) {
          SetBit(mask, entry->token);
        }
      });
}

const LocalMask& Table::LocalOf(StateId state) {
  auto& local = locals_[state];
  if (local) return *local;
  const auto& rule = automaton_->rule(automaton_->state(state).rule);
  if (!rule.key.empty()) local = vocabulary_->FindMask(rule.key, state - rule.start);
  if (local) return *local;
  auto made = std::make_shared<const LocalMask>(rule.has_calls ? WalkCalls(state) : WalkRegular(state));
  if (!rule.key.empty()) vocabulary_->KeepMask(rule.key, state - rule.start, made);
  size_bytes_ += made->size_bytes();
  // WalkCalls() may have added others: the reference may be stale.
  return *(locals_[state] = std::move(made));
}

// A rule without calls: the state of the walk is the rule's own.
LocalMask Table::WalkRegular(StateId state) const {
  const Automaton& automaton = *automaton_;
  const auto& rule = automaton.rule(automaton.state(state).rule);
  const ByteTrie& trie = vocabulary_->trie();
  LocalMaskBuilder builder(trie, vocabulary_->n_words());
  std::vector<uint32_t> units(trie.max_depth() + 1, 0);  // finished at each depth of the walk
  const auto step = [&](uint32_t from, uint8_t byte) { return automaton.Next(from & ~kUnitDone, byte); };
  const auto bytes_of = [&](uint32_t at) -> const ByteSet& { return automaton.bytes(at & ~kUnitDone); };
  trie.Walk(0, state, step, bytes_of, [&](uint32_t node, uint32_t at) {
    const uint32_t depth = trie.node(node).depth;
    if (!rule.is_counted) {
      builder.Allow(node, 0);
      if (automaton.state(at).is_accepting) builder.End(node, 0);
      return;
    }
    const bool is_unit_done = (at & kUnitDone) != 0;
    units[depth] = units[depth - 1] + (is_unit_done ? 1 : 0);
    builder.Allow(node, units[depth] + (is_unit_done ? 0 : 1));  // a unit that has begun needs room, too
    if (is_unit_done) builder.End(node, units[depth]);
  });
  return builder.Finish();
}

// A rule with calls: sets of configurations whose stacks end where the rule does.
LocalMask Table::WalkCalls(StateId state) {
  const ByteTrie& trie = vocabulary_->trie();
  LocalMaskBuilder builder(trie, vocabulary_->n_words());
  kept_ = {{state, 0, kEmptyStack}};
  const SetId own = Intern(false);
  trie.Walk(
      0, own, [this](SetId set, uint8_t byte) { return Move(set, byte); },
      [this](SetId set) -> const ByteSet& { return sets_[set].bytes; },
      [&](uint32_t node, SetId set) {
        builder.Allow(node, 0);
        if (sets_[set].is_complete) builder.End(node, 0);
      });
  return builder.Finish();
}

}  // namespace rf::grammar
