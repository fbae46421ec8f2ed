// A trie over byte strings in one array, in preorder: a walk goes through memory once, and skips what it refuses.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/grammar/automaton.h"

namespace rf::grammar {

class ByteTrie {
 public:
  struct Entry {
    int32_t token;
    uint32_t n_units;  ///< of a counted rule, that precede this string
  };
  struct Item {
    std::string_view bytes;
    Entry entry;
  };
  struct Node {
    uint32_t n_nodes;      ///< of the subtree, this one included
    uint32_t entry_begin;  ///< entries of this node end where the next node's begin
    uint16_t depth;        ///< 0: the root
    uint8_t byte;
    bool is_wide;  ///< many children: ChildOf() finds one quickly
  };
  static constexpr uint32_t kMaxDepth = 512;
  static constexpr uint32_t kNoNode = 0;

  ByteTrie() = default;
  /// Longer strings than kMaxDepth are left out.
  explicit ByteTrie(std::vector<Item> items);

  bool empty() const { return entries_.empty(); }
  const Node& node(uint32_t index) const { return nodes_[index]; }
  uint32_t n_nodes() const { return static_cast<uint32_t>(nodes_.size() - 1); }
  const Entry* entries_begin(uint32_t node) const { return entries_.data() + nodes_[node].entry_begin; }
  const Entry* entries_end(uint32_t node) const { return entries_.data() + nodes_[node + 1].entry_begin; }
  /// Entries of the node and everything below.
  uint32_t n_entries_in(uint32_t node) const {
    return nodes_[node + nodes_[node].n_nodes].entry_begin - nodes_[node].entry_begin;
  }
  uint32_t max_depth() const { return max_depth_; }
  size_t size_bytes() const;

  /// The child of a wide node; kNoNode if it has none.
  uint32_t ChildOf(uint32_t wide_node, uint8_t byte) const { return (*wide_.find(wide_node)).second[byte]; }

  /// Visits what is below `root` in preorder, as far as step(state, byte) gives a state: on_node(node, state). States
  /// are uint32_t, kNoState for none; bytes_of(state) are the bytes that may lead on.
  template <typename Step, typename BytesOf, typename OnNode>
  void Walk(uint32_t root, uint32_t state, Step step, BytesOf bytes_of, OnNode on_node) const;

 private:
  void FindWideNodes();

  std::vector<Node> nodes_;  ///< and one behind the last
  std::vector<Entry> entries_;
  std::unordered_map<uint32_t, std::array<uint32_t, 256>> wide_;
  uint32_t max_depth_ = 0;
};

template <typename Step, typename BytesOf, typename OnNode>
void ByteTrie::Walk(uint32_t root, uint32_t state, Step step, BytesOf bytes_of, OnNode on_node) const {
  struct Part {
    uint32_t begin, end;
    uint32_t state;  // before the part's first byte
  };
  std::vector<Part> parts;
  std::vector<uint32_t> states(max_depth_ + 1);
  // Takes the children of `node` one by one if it is wide and only few of them can match.
  const auto split = [&](uint32_t node, uint32_t at) {
    if (!nodes_[node].is_wide) return false;
    const ByteSet& bytes = bytes_of(at);
    int n_bytes = 0;
    for (const uint64_t word : bytes) n_bytes += __builtin_popcountll(word);
    if (n_bytes > 32) return false;
    for (size_t word = 0; word < 4; ++word) {
      for (uint64_t rest = bytes[word]; rest != 0; rest &= rest - 1) {
        const auto byte = static_cast<uint8_t>(word * 64 + static_cast<size_t>(__builtin_ctzll(rest)));
        const uint32_t child = ChildOf(node, byte);
        if (child != kNoNode) parts.push_back({child, child + nodes_[child].n_nodes, at});
      }
    }
    return true;
  };
  if (!split(root, state)) parts.push_back({root + 1, root + nodes_[root].n_nodes, state});
  while (!parts.empty()) {
    const Part part = parts.back();
    parts.pop_back();
    if (part.begin == part.end) continue;
    states[nodes_[part.begin].depth - 1u] = part.state;
    for (uint32_t i = part.begin; i < part.end;) {
      const Node& node = nodes_[i];
      const uint32_t next = step(states[node.depth - 1u], node.byte);
      if (next == kNoState) {
        i += node.n_nodes;
        continue;
      }
      on_node(i, next);
      states[node.depth] = next;
      i += node.is_wide && split(i, next) ? node.n_nodes : 1;
    }
  }
}

}  // namespace rf::grammar
