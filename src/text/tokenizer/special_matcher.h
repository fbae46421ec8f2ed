// Finds the texts of special tokens in a text: leftmost, longest first, in one pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace rf {

/// A byte trie over a set of texts, with a table of possible first two bytes that lets the scan run over ordinary text.
class SpecialMatcher {
 public:
  struct Match {
    size_t begin, end;
    int32_t id;
  };

  /// Adds a text; of equal texts the first one stays. Empty texts are ignored.
  void Add(std::string_view text, int32_t id);
  /// The first match that begins at or after `from` and that accept(begin, end, id) takes; of those that begin there
  /// the longest.
  template <typename Accept>
  std::optional<Match> FindNext(std::string_view text, size_t from, const Accept& accept) const;
  bool empty() const { return n_texts_ == 0; }

 private:
  struct Edge {
    uint64_t key = 0;  // (node << 8 | byte) + 1; 0 is free
    uint32_t child = 0;
  };

  uint32_t Child(uint32_t node, uint8_t byte) const;
  uint32_t AddChild(uint32_t node, uint8_t byte);
  void Grow();
  bool MayBeginAt(const uint8_t* p, bool is_last) const {
    const size_t pair = (static_cast<size_t>(p[0]) << 8) | (is_last ? 0u : p[1]);
    return is_last ? first_bytes_[p[0]] : ((first_pairs_[pair >> 6] >> (pair & 63)) & 1) != 0;
  }

  std::vector<Edge> edges_ = std::vector<Edge>(64);
  std::vector<int32_t> token_at_{-1};  // by node; -1: no text ends here
  std::vector<uint64_t> first_pairs_ = std::vector<uint64_t>(1024);
  std::vector<bool> first_bytes_ = std::vector<bool>(256);  // texts of one byte
  size_t n_edges_ = 0;
  size_t n_texts_ = 0;
};

template <typename Accept>
std::optional<SpecialMatcher::Match> SpecialMatcher::FindNext(std::string_view text, size_t from,
                                                              const Accept& accept) const {
  if (empty()) return std::nullopt;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  for (size_t begin = from; begin < text.size(); ++begin) {
    if (!MayBeginAt(bytes + begin, begin + 1 == text.size())) continue;
    Match match{begin, begin, -1};
    uint32_t node = 0;
    for (size_t i = begin; i < text.size(); ++i) {
      node = Child(node, bytes[i]);
      if (node == 0) break;
      if (token_at_[node] >= 0 && accept(begin, i + 1, token_at_[node])) match = {begin, i + 1, token_at_[node]};
    }
    if (match.id >= 0) return match;
  }
  return std::nullopt;
}

}  // namespace rf
