// Large parts of a vocabulary that many states allow as a whole.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "text/grammar/byte_trie.h"
#include "text/grammar/code_points.h"
#include "text/grammar/dfa.h"
#include "text/grammar/token_set.h"

namespace rf::grammar {

/// The tokens made of characters of one class (the last one may be cut off), and all others. A state after which any
/// text of these characters may come allows the former without a look at them. The idea is llguidance's.
class Slice {
 public:
  Slice(const CodePointSet& characters, const std::vector<std::string>& tokens);

  const Mask& mask() const { return mask_; }
  /// The tokens that are not in the slice.
  const ByteTrie& rest() const { return rest_; }

  /// Whether the slice's characters may come in any number and order after `start`. step(from, byte, to) says whether
  /// a byte may come, and what it leads to. May say no where that needs many states.
  template <typename State, typename Step>
  bool MayFollow(const State& start, Step step) const;

 private:
  static constexpr size_t kMaxPairs = 256;

  Dfa characters_;  ///< of any number of the characters
  Mask mask_;
  ByteTrie rest_;
};

template <typename State, typename Step>
bool Slice::MayFollow(const State& start, Step step) const {
  // Both automata at once: wherever the slice's goes on, the other one must.
  using Pair = std::pair<uint32_t, State>;
  std::vector<Pair> pairs = {{0, start}};
  Pair last = pairs[0];
  for (size_t i = 0; i < pairs.size(); ++i) {
    const Pair from = pairs[i];
    for (size_t byte = 0; byte < 256; ++byte) {
      const int32_t next = characters_.Next(from.first, static_cast<uint8_t>(byte));
      if (next == kDead) continue;
      Pair to{static_cast<uint32_t>(next), {}};
      if (!step(from.second, static_cast<uint8_t>(byte), to.second)) return false;
      // Neighbouring bytes mostly lead to the same.
      if (to == last) continue;
      last = to;
      if (std::find(pairs.begin(), pairs.end(), to) != pairs.end()) continue;
      if (pairs.size() == kMaxPairs) return false;
      pairs.push_back(to);
    }
  }
  return true;
}

}  // namespace rf::grammar
