#include "text/grammar/local_mask.h"

#include <utility>

#include "text/grammar/token_walk.h"

namespace rf::grammar {
namespace {

constexpr size_t kMaxLimitMasks = 16;  // kept, 19 KiB each for 150,000 tokens; few tokens have more characters

void SetToken(Mask& mask, int32_t token) {
  mask[static_cast<size_t>(token) / 64] |= uint64_t{1} << (static_cast<size_t>(token) % 64);
}

// A place in a counted rule: its state, and the units finished since the walk began.
struct CountedState {
  StateId state;
  uint32_t n_units;
  bool is_between;  // no unit has begun
};

}  // namespace

LocalMask::LocalMask(const Automaton& automaton, StateId state, const Vocabulary& vocabulary)
    : all_(vocabulary.n_words(), 0) {
  if (automaton.rule(automaton.state(state).rule).is_counted) {
    WalkCounted(automaton, state, vocabulary);
  } else {
    WalkPlain(automaton, state, vocabulary);
  }
}

void LocalMask::WalkPlain(const Automaton& automaton, StateId state, const Vocabulary& vocabulary) {
  const auto step = [&](StateId from, uint8_t byte, StateId& to) {
    to = automaton.Next(from, byte);
    return to != kNoState;
  };
  const auto bytes_of = [&](StateId at) -> const ByteSet& { return automaton.bytes(at); };
  TrieWalker<StateId> walker;
  WalkTokens(
      vocabulary, walker, state, false, step, bytes_of, [&](const Mask& slice) { all_ = slice; },
      [&](int32_t token) { SetToken(all_, token); });
}

void LocalMask::WalkCounted(const Automaton& automaton, StateId state, const Vocabulary& vocabulary) {
  std::vector<std::vector<int32_t>> by_units;  // [n_units - 1]: tokens that need n_units
  const auto step = [&](const CountedState& from, uint8_t byte, CountedState& to) {
    const uint32_t move = automaton.Next(from.state, byte);
    if (move == kNoState) return false;
    const bool is_done = (move & kUnitDone) != 0;
    to = {move & ~kUnitDone, from.n_units + (is_done ? 1 : 0), is_done};
    return true;
  };
  const auto bytes_of = [&](const CountedState& at) -> const ByteSet& { return automaton.bytes(at.state); };
  const ByteTrie& trie = vocabulary.trie();
  TrieWalker<CountedState> walker;
  walker.Walk(trie, 0, {state, 0, false}, step, bytes_of, [&](uint32_t node, const CountedState& at) {
    const uint32_t n_units = at.n_units + (at.is_between ? 0 : 1);  // a unit that has begun needs room, too
    if (n_units > by_units.size()) by_units.resize(n_units);
    by_units[n_units - 1].insert(by_units[n_units - 1].end(), trie.tokens_begin(node), trie.tokens_end(node));
  });
  for (size_t n_units = 0; n_units < by_units.size(); ++n_units) {
    if (n_units < kMaxLimitMasks) {
      by_limit_.push_back(all_);
    } else {
      longest_begin_.push_back(longest_.size());
      longest_.insert(longest_.end(), by_units[n_units].begin(), by_units[n_units].end());
    }
    for (const int32_t token : by_units[n_units]) SetToken(all_, token);
  }
}

LocalMask::Allowed LocalMask::Inside(uint32_t n_units) const {
  if (n_units < by_limit_.size()) return {by_limit_[n_units], {}};
  const size_t place = n_units - by_limit_.size();
  if (place >= longest_begin_.size()) return {all_, {}};
  return {all_, std::span(longest_).subspan(longest_begin_[place])};
}

size_t LocalMask::size_bytes() const {
  return sizeof(*this) + (by_limit_.size() + 1) * all_.size() * sizeof(uint64_t) +
         longest_.size() * sizeof(longest_[0]) + longest_begin_.size() * sizeof(longest_begin_[0]);
}

int32_t UnitsToEnd(const Automaton& automaton, StateId state, std::string_view bytes) {
  const bool is_counted = automaton.rule(automaton.state(state).rule).is_counted;
  int32_t n_units = 0;
  uint32_t at = state;
  for (const char byte : bytes) {
    at = automaton.Next(at & ~kUnitDone, static_cast<uint8_t>(byte));
    if (at == kNoState) return -1;
    n_units += (at & kUnitDone) != 0 ? 1 : 0;
  }
  return is_counted ? ((at & kUnitDone) != 0 ? n_units : -1) : (automaton.state(at).is_accepting ? 0 : -1);
}

}  // namespace rf::grammar
