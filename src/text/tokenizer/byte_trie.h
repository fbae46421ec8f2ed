// A set of byte strings, walked one byte at a time: how the kinds that look for the longest token find it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace rf {

/// Immutable after Build. Nodes are numbered breadth first, so that the children of a node lie side by side.
class ByteTrie {
 public:
  static constexpr uint32_t kRoot = 0;
  static constexpr uint32_t kNone = 0;  ///< what Child gives where there is none: the root is nobody's child

  /// Of equal keys the first one stays; empty keys are left out. Keys are not kept.
  void Build(std::vector<std::pair<std::string_view, int32_t>> keys);

  uint32_t Child(uint32_t node, uint8_t byte) const {
    if (node == kRoot) return root_children_[byte];
    const Node& n = nodes_[node];
    const uint8_t* const first = labels_.data() + n.first_child;
    const uint8_t* const last = first + n.n_children;
    const uint8_t* const found = n.n_children <= 8 ? std::find(first, last, byte) : std::lower_bound(first, last, byte);
    return found != last && *found == byte ? static_cast<uint32_t>(found - labels_.data()) : kNone;
  }
  /// The value of the key that ends at the node, -1 if none does.
  int32_t Value(uint32_t node) const { return nodes_[node].value; }

  struct Match {
    size_t length = 0;
    int32_t value = -1;
  };
  /// The longest key that [p, end) begins with; length 0 if there is none.
  Match FindLongest(const char* p, const char* end) const {
    Match match;
    uint32_t node = kRoot;
    for (const char* q = p; q != end;) {
      node = Child(node, static_cast<uint8_t>(*q++));
      if (node == kNone) break;
      if (Value(node) >= 0) match = {static_cast<size_t>(q - p), Value(node)};
    }
    return match;
  }

 private:
  struct Node {
    uint32_t first_child = 0;
    uint32_t n_children = 0;
    int32_t value = -1;
  };
  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::vector<uint8_t> labels_ = std::vector<uint8_t>(1);  // by node: the byte that leads to it
  std::array<uint32_t, 256> root_children_ = {};
};

}  // namespace rf
