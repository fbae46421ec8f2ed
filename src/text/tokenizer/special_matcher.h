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
  /// The first match that begins at or after `from`; of those that begin there the longest.
  std::optional<Match> FindNext(std::string_view text, size_t from) const;
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

}  // namespace rf
