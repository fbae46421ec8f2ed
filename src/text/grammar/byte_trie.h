// A trie over byte strings in one array, in preorder: a walk goes through memory once, and skips what it refuses.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rf::grammar {

/// Strings with a token each.
class ByteTrie {
 public:
  struct Item {
    std::string_view bytes;
    int32_t token;
  };
  struct Node {
    uint32_t n_nodes;      ///< of the subtree, this one included
    uint32_t token_begin;  ///< tokens of this node end where the next node's begin
    uint16_t depth;        ///< 0: the root
    uint8_t byte;
    bool is_wide;  ///< many children: ChildOf() finds one quickly
  };
  static constexpr uint32_t kMaxDepth = 512;
  static constexpr uint32_t kNoNode = 0;

  ByteTrie() = default;
  /// Longer strings than kMaxDepth are left out.
  explicit ByteTrie(std::vector<Item> items);

  const Node& node(uint32_t index) const { return nodes_[index]; }
  uint32_t n_nodes() const { return static_cast<uint32_t>(nodes_.size() - 1); }
  const int32_t* tokens_begin(uint32_t node) const { return tokens_.data() + nodes_[node].token_begin; }
  const int32_t* tokens_end(uint32_t node) const { return tokens_.data() + nodes_[node + 1].token_begin; }
  uint32_t max_depth() const { return max_depth_; }

  /// The child of a wide node; kNoNode if it has none.
  uint32_t ChildOf(uint32_t wide_node, uint8_t byte) const { return (*wide_.find(wide_node)).second[byte]; }

 private:
  void FindWideNodes();

  std::vector<Node> nodes_;  ///< and one behind the last
  std::vector<int32_t> tokens_;
  std::unordered_map<uint32_t, std::array<uint32_t, 256>> wide_;
  uint32_t max_depth_ = 0;
};

}  // namespace rf::grammar
