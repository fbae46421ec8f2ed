// Token masks. Two ways lead to the tokens that a configuration allows: a walk over the vocabulary, with calls and
// returns; or, for states that allow many, what their rule decides by itself, computed once and kept, with the tokens
// that run beyond the rule's end, which are found anew for each caller.
#include <algorithm>

#include "text/grammar/limits.h"
#include "text/grammar/table.h"
#include "text/grammar/token_walk.h"

namespace rf::grammar {
namespace {

// Units that may still come after n_units of them.
uint32_t Remaining(const Automaton::RuleInfo& rule, uint32_t n_units) {
  return !rule.is_counted || rule.max == kUnbounded ? kUnbounded : rule.max - n_units;
}

bool IsCountRight(const Automaton::RuleInfo& rule, uint64_t n_units) {
  return !rule.is_counted || (n_units >= rule.min && (rule.max == kUnbounded || n_units <= rule.max));
}

}  // namespace

const TokenSet& Table::Tokens(SetId set) {
  if (sets_[set].tokens == nullptr) ComputeTokens(set);
  return *sets_[set].tokens;
}

void Table::ComputeTokens(SetId set) {
  const uint32_t first = sets_[set].first_configuration;
  const uint32_t n = sets_[set].n_configurations;
  std::vector<Configuration> others;
  // Bitmaps first: the rest are differences from them.
  for (uint32_t i = first; i < first + n; ++i) {
    const Configuration item = configurations_[i];
    if (IsLocal(item)) {
      AddLocal(item);
    } else {
      others.push_back(item);
    }
  }
  for (const Configuration& item : others) AddByWalk(item);
  token_sets_.push_back(builder_.Finish());
  size_bytes_ += token_sets_.back().size_bytes();
  sets_[set].tokens = &token_sets_.back();
}

// Whether the configuration's rule is worth a mask of its own: it allows much, and its caller little.
bool Table::IsLocal(const Configuration& configuration) {
  const Automaton::State& state = automaton_->state(configuration.state);
  if (!state.is_wide || automaton_->rule(state.rule).has_calls) return false;
  if (configuration.stack == kEmptyStack) return true;
  const Frame& frame = frames_[configuration.stack];
  const SetId caller = SetAt({frame.state, 0, frame.below});
  return caller == kNoState || !IsWide(sets_[caller].bytes);
}

void Table::AddLocal(const Configuration& configuration) {
  const auto& rule = automaton_->rule(automaton_->state(configuration.state).rule);
  Local& local = LocalOf(configuration.state);
  const auto [inside, without] = local.mask->Inside(Remaining(rule, configuration.n_units));
  builder_.Unite(inside, without);
  if (configuration.stack == kEmptyStack) return;
  const auto [found, is_new] = local.tails.try_emplace(configuration.stack);
  if (is_new) {
    found->second = FindTails(configuration);
    size_bytes_ += found->second.size() * sizeof(Tail) + 64;
  }
  for (const Tail& tail : found->second) {
    if (IsCountRight(rule, uint64_t{configuration.n_units} + tail.n_units)) builder_.Add(tail.token);
  }
}

Table::Local& Table::LocalOf(StateId state) {
  Local& local = locals_[state];
  if (local.mask) return local;
  const auto& rule = automaton_->rule(automaton_->state(state).rule);
  if (!rule.key.empty()) local.mask = vocabulary_->FindMask(rule.key, state - rule.start);
  if (local.mask) return local;
  local.mask = std::make_shared<const LocalMask>(*automaton_, state, *vocabulary_);
  if (!rule.key.empty()) vocabulary_->KeepMask(rule.key, state - rule.start, local.mask);
  size_bytes_ += local.mask->size_bytes();
  return local;
}

// The tokens that run beyond the end of the configuration's rule and fit its caller, however many units there may be.
std::vector<Table::Tail> Table::FindTails(const Configuration& configuration) {
  const auto& rule = automaton_->rule(automaton_->state(configuration.state).rule);
  const ByteTrie& trie = vocabulary_->trie();
  std::vector<Tail> tails;
  const Frame frame = frames_[configuration.stack];
  const SetId caller = SetAt({frame.state, 0, frame.below});
  if (caller == kNoState) return tails;
  const ByteSet bytes = sets_[caller].bytes;
  ForEachByte(bytes, [&](uint8_t byte) {
    Position next;
    if (!Step(At(caller), byte, next)) return;
    for (const auto& [node, before] : vocabulary_->InnerBytes(byte)) {
      if (!HasByte(rule.last_bytes, before)) continue;
      const int32_t n_units = UnitsToEnd(*automaton_, configuration.state, vocabulary_->TextBefore(node));
      if (n_units < 0) continue;
      const auto add = [&](uint32_t at, const Position&) {
        for (const int32_t* token = trie.tokens_begin(at); token != trie.tokens_end(at); ++token) {
          tails.push_back({*token, static_cast<uint32_t>(n_units)});
        }
      };
      add(node, next);
      walker_.Walk(
          trie, node, next, [this](const Position& from, uint8_t b, Position& to) { return Step(from, b, to); },
          [this](const Position& at) -> const ByteSet& { return Bytes(at); }, add);
    }
  });
  return tails;
}

void Table::AddByWalk(const Configuration& configuration) {
  const bool is_counting = automaton_->rule(automaton_->state(configuration.state).rule).is_counted;
  WalkTokens(
      *vocabulary_, walker_, Position(configuration), is_counting,
      [this](const Position& from, uint8_t byte, Position& to) { return Step(from, byte, to); },
      [this](const Position& at) -> const ByteSet& { return Bytes(at); },
      [this](const Mask& slice) { builder_.Unite(slice); }, [this](int32_t token) { builder_.Add(token); });
}

}  // namespace rf::grammar
