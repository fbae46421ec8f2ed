#include "text/grammar/byte_trie.h"

#include <algorithm>

namespace rf::grammar {
namespace {

constexpr uint32_t kMinWideChildren = 24;

size_t CommonPrefix(std::string_view a, std::string_view b) {
  const size_t n = std::min(a.size(), b.size());
  size_t i = 0;
  while (i < n && a[i] == b[i]) ++i;
  return i;
}

}  // namespace

ByteTrie::ByteTrie(std::vector<Item> items) {
  std::erase_if(items, [](const Item& item) { return item.bytes.size() > kMaxDepth; });
  std::sort(items.begin(), items.end(),
            [](const Item& a, const Item& b) { return a.bytes != b.bytes ? a.bytes < b.bytes : a.token < b.token; });
  std::vector<uint32_t> path = {0};  // nodes from the root to the last added one
  nodes_.push_back({0, 0, 0, 0, false});
  const auto close = [&](size_t depth) {
    for (; path.size() > depth + 1; path.pop_back()) {
      nodes_[path.back()].n_nodes = static_cast<uint32_t>(nodes_.size()) - path.back();
    }
  };
  std::string_view last;
  for (const Item& item : items) {
    close(CommonPrefix(last, item.bytes));
    for (size_t depth = path.size(); depth <= item.bytes.size(); ++depth) {
      path.push_back(static_cast<uint32_t>(nodes_.size()));
      nodes_.push_back({0, static_cast<uint32_t>(tokens_.size()), static_cast<uint16_t>(depth),
                        static_cast<uint8_t>(item.bytes[depth - 1]), false});
    }
    max_depth_ = std::max(max_depth_, static_cast<uint32_t>(item.bytes.size()));
    tokens_.push_back(item.token);
    last = item.bytes;
  }
  close(0);
  nodes_[0].n_nodes = static_cast<uint32_t>(nodes_.size());
  nodes_.push_back({0, static_cast<uint32_t>(tokens_.size()), 0, 0, false});
  FindWideNodes();
}

void ByteTrie::FindWideNodes() {
  for (uint32_t i = 0; i < n_nodes(); ++i) {
    const uint32_t end = i + nodes_[i].n_nodes;
    uint32_t n_children = 0;
    for (uint32_t child = i + 1; child < end; child += nodes_[child].n_nodes) ++n_children;
    if (n_children < kMinWideChildren) continue;
    nodes_[i].is_wide = true;
    auto& children = wide_[i];
    children.fill(kNoNode);
    for (uint32_t child = i + 1; child < end; child += nodes_[child].n_nodes) children[nodes_[child].byte] = child;
  }
}

}  // namespace rf::grammar
