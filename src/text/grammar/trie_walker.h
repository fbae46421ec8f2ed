// Walks of automata over tries.
#pragma once

#include <cstdint>
#include <vector>

#include "text/grammar/byte_set.h"
#include "text/grammar/byte_trie.h"

namespace rf::grammar {

/// Keeps its memory from walk to walk: most of them are short.
template <typename State>
class TrieWalker {
 public:
  /// Visits what is below `root` in preorder, as far as step(state, byte, next) says that the byte may come and sets
  /// the next state: on_node(node, state). bytes_of(state) are the bytes that may come.
  template <typename Step, typename BytesOf, typename OnNode>
  void Walk(const ByteTrie& trie, uint32_t root, const State& state, Step step, BytesOf bytes_of, OnNode on_node);

 private:
  static constexpr int kFewBytes = 32;
  struct Part {
    uint32_t begin, end;
    State state;  ///< before the part's first byte
  };

  // Takes the children of `node` one by one if it is wide and only few of them can match.
  template <typename BytesOf>
  bool Split(const ByteTrie& trie, uint32_t node, const State& at, BytesOf bytes_of) {
    if (!trie.node(node).is_wide) return false;
    const ByteSet& bytes = bytes_of(at);
    if (CountBytes(bytes) > kFewBytes) return false;
    ForEachByte(bytes, [&](uint8_t byte) {
      const uint32_t child = trie.ChildOf(node, byte);
      if (child != ByteTrie::kNoNode) parts_.push_back({child, child + trie.node(child).n_nodes, at});
    });
    return true;
  }

  std::vector<Part> parts_;
  std::vector<State> states_;  ///< by depth
};

template <typename State>
template <typename Step, typename BytesOf, typename OnNode>
void TrieWalker<State>::Walk(const ByteTrie& trie, uint32_t root, const State& state, Step step, BytesOf bytes_of,
                             OnNode on_node) {
  if (states_.size() <= trie.max_depth()) states_.resize(trie.max_depth() + 1);
  if (!Split(trie, root, state, bytes_of)) parts_.push_back({root + 1, root + trie.node(root).n_nodes, state});
  while (!parts_.empty()) {
    const Part part = parts_.back();
    parts_.pop_back();
    if (part.begin == part.end) continue;
    states_[trie.node(part.begin).depth - 1u] = part.state;
    for (uint32_t i = part.begin; i < part.end;) {
      const ByteTrie::Node& node = trie.node(i);
      State& next = states_[node.depth];
      if (!step(states_[node.depth - 1u], node.byte, next)) {
        i += node.n_nodes;
        continue;
      }
      on_node(i, next);
      i += node.is_wide && Split(trie, i, next, bytes_of) ? node.n_nodes : 1;
    }
  }
}

}  // namespace rf::grammar
