#include "text/tokenizer/special_matcher.h"

#include "text/tokenizer/hash.h"

namespace rf {
namespace {

uint64_t EdgeKey(uint32_t node, uint8_t byte) {
  return ((static_cast<uint64_t>(node) << 8) | byte) + 1;
}

size_t HashEdge(uint64_t key) {
  return FoldedMultiply(key, 0x9E3779B97F4A7C15u);
}

}  // namespace

uint32_t SpecialMatcher::Child(uint32_t node, uint8_t byte) const {
  const uint64_t key = EdgeKey(node, byte);
  const size_t mask = edges_.size() - 1;
  for (size_t i = HashEdge(key) & mask;; i = (i + 1) & mask) {
    if (edges_[i].key == key) return edges_[i].child;
    if (edges_[i].key == 0) return 0;  // the root is nobody's child
  }
}

uint32_t SpecialMatcher::AddChild(uint32_t node, uint8_t byte) {
  if (const uint32_t child = Child(node, byte); child != 0) return child;
  if (2 * (n_edges_ + 1) > edges_.size()) Grow();
  const auto child = static_cast<uint32_t>(token_at_.size());
  token_at_.push_back(-1);
  const uint64_t key = EdgeKey(node, byte);
  const size_t mask = edges_.size() - 1;
  size_t i = HashEdge(key) & mask;
  while (edges_[i].key != 0) i = (i + 1) & mask;
  edges_[i] = {key, child};
  ++n_edges_;
  return child;
}

void SpecialMatcher::Grow() {
  std::vector<Edge> old(edges_.size() * 4);
  old.swap(edges_);
  const size_t mask = edges_.size() - 1;
  for (const Edge& edge : old) {
    if (edge.key == 0) continue;
    size_t i = HashEdge(edge.key) & mask;
    while (edges_[i].key != 0) i = (i + 1) & mask;
    edges_[i] = edge;
  }
}

void SpecialMatcher::Add(std::string_view text, int32_t id) {
  if (text.empty()) return;
  uint32_t node = 0;
  for (const char c : text) node = AddChild(node, static_cast<uint8_t>(c));
  if (token_at_[node] < 0) token_at_[node] = id;
  ++n_texts_;
  const size_t first = static_cast<uint8_t>(text[0]);
  if (text.size() == 1) {
    first_bytes_[first] = true;
    for (size_t i = 0; i < 4; ++i) first_pairs_[first * 4 + i] = ~uint64_t{0};
  } else {
    const size_t pair = (first << 8) | static_cast<uint8_t>(text[1]);
    first_pairs_[pair >> 6] |= uint64_t{1} << (pair & 63);
  }
}

}  // namespace rf
