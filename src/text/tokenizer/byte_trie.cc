#include "text/tokenizer/byte_trie.h"

namespace rf {
namespace {

// The sorted keys [first, last) that begin with the path to a node.
struct KeyRange {
  size_t first, last, depth;
};

}  // namespace

void ByteTrie::Build(std::vector<std::pair<std::string_view, int32_t>> keys) {
  std::stable_sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  nodes_.assign(1, Node{});
  labels_.assign(1, 0);
  std::vector<KeyRange> ranges = {{0, keys.size(), 0}};  // by node
  for (uint32_t node = 0; node < nodes_.size(); ++node) {
    auto [first, last, depth] = ranges[node];
    // Keys that end here come first.
    for (; first < last && keys[first].first.size() == depth; ++first) {
      if (nodes_[node].value < 0 && depth > 0) nodes_[node].value = keys[first].second;
    }
    nodes_[node].first_child = static_cast<uint32_t>(nodes_.size());
    while (first < last) {
      const char label = keys[first].first[depth];
      size_t end = first + 1;
      while (end < last && keys[end].first[depth] == label) ++end;
      nodes_.emplace_back();
      labels_.push_back(static_cast<uint8_t>(label));
      ranges.push_back({first, end, depth + 1});
      first = end;
    }
    nodes_[node].n_children = static_cast<uint32_t>(nodes_.size()) - nodes_[node].first_child;
    if (node == kRoot) {
      root_children_ = {};
      for (auto child = nodes_[node].first_child; child < nodes_.size(); ++child)
        root_children_[labels_[child]] = child;
    }
  }
}

}  // namespace rf
