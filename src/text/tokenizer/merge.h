// The merge loop that both BPE kinds share: of all adjacent pairs that may be merged, merge the one of best priority,
// the leftmost among equals, until none is left (Sennrich et al. 2016, arXiv:1508.07909, applied to inference).
// Short words by scanning an array, long ones by a heap: O(n log n) for n symbols.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace rf {

inline constexpr uint32_t kNoMerge = UINT32_MAX;

/// A piece of the word: where it begins (bytes from the word's start) and which token it is, -1 if none.
struct MergeSymbol {
  uint32_t begin;
  int32_t id;
};

/// What a pair becomes; a lower priority is merged first, kNoMerge never.
struct MergeCandidate {
  uint32_t priority = kNoMerge;
  int32_t id = -1;
};

/// Working memory of the loop, kept between words. Not for concurrent use.
class Merger {
 public:
  /// Clear and fill before Run: the symbols in order, then one with only `begin`, the word's length.
  std::vector<MergeSymbol> symbols;

  /// Merges `symbols` in place. `find(left, right, end)` gives the candidate of two adjacent symbols, `end` being
  /// where the right one ends. The closing symbol stays.
  template <typename Find>
  void Run(const Find& find) {
    if (symbols.size() < 3) return;
    if (symbols.size() <= kMaxScanned) {
      RunScan(find);
    } else {
      RunHeap(find);
    }
  }

 private:
  static constexpr size_t kMaxScanned = 40;

  struct Node {
    MergeSymbol symbol;
    int32_t previous, next;  // -1 outside
    MergeCandidate with_next;
  };

  template <typename Find>
  void RunScan(const Find& find);
  template <typename Find>
  void RunHeap(const Find& find);
  template <typename Find>
  void Reconsider(const Find& find, int32_t left);

  MergeCandidate candidates_[kMaxScanned];
  std::vector<Node> nodes_;
  std::vector<uint64_t> heap_;  // priority in the high half, position of the left node in the low half
};

template <typename Find>
void Merger::RunScan(const Find& find) {
  size_t n_pairs = symbols.size() - 2;
  MergeSymbol* s = symbols.data();
  for (size_t i = 0; i < n_pairs; ++i) candidates_[i] = find(s[i], s[i + 1], s[i + 2].begin);
  while (n_pairs > 0) {
    size_t best = 0;
    for (size_t i = 1; i < n_pairs; ++i) {
      if (candidates_[i].priority < candidates_[best].priority) best = i;
    }
    if (candidates_[best].priority == kNoMerge) break;
    s[best].id = candidates_[best].id;
    std::copy(s + best + 2, s + n_pairs + 2, s + best + 1);
    std::copy(candidates_ + best + 1, candidates_ + n_pairs, candidates_ + best);
    --n_pairs;
    if (best < n_pairs) candidates_[best] = find(s[best], s[best + 1], s[best + 2].begin);
    if (best > 0) candidates_[best - 1] = find(s[best - 1], s[best], s[best + 1].begin);
  }
  symbols.resize(n_pairs + 2);
}

template <typename Find>
void Merger::Reconsider(const Find& find, int32_t left) {
  Node& node = nodes_[static_cast<size_t>(left)];
  node.with_next = {};
  if (node.next < 0) return;
  const Node& right = nodes_[static_cast<size_t>(node.next)];
  if (right.next < 0) return;  // the closing symbol
  const uint32_t end = nodes_[static_cast<size_t>(right.next)].symbol.begin;
  node.with_next = find(node.symbol, right.symbol, end);
  if (node.with_next.priority == kNoMerge) return;
  heap_.push_back((static_cast<uint64_t>(node.with_next.priority) << 32) | static_cast<uint32_t>(left));
}

template <typename Find>
void Merger::RunHeap(const Find& find) {
  const auto n = static_cast<int32_t>(symbols.size());
  nodes_.clear();
  heap_.clear();
  for (int32_t i = 0; i < n; ++i) {
    nodes_.push_back({symbols[static_cast<size_t>(i)], i - 1, i + 1 < n ? i + 1 : -1, {}});
  }
  for (int32_t i = 0; i + 2 < n; ++i) Reconsider(find, i);
  std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
  while (!heap_.empty()) {
    const uint64_t top = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    heap_.pop_back();
    const auto left = static_cast<int32_t>(static_cast<uint32_t>(top));
    Node& node = nodes_[static_cast<size_t>(left)];
    if (node.with_next.priority != top >> 32) continue;  // outdated: the pair has changed since
    Node& right = nodes_[static_cast<size_t>(node.next)];
    node.symbol.id = node.with_next.id;
    node.next = right.next;
    nodes_[static_cast<size_t>(right.next)].previous = left;
    right.with_next = {};
    for (const int32_t changed : {left, node.previous}) {
      if (changed < 0) continue;
      const size_t size = heap_.size();
      Reconsider(find, changed);
      if (heap_.size() != size) std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    }
  }
  symbols.clear();
  for (int32_t i = 0; i >= 0; i = nodes_[static_cast<size_t>(i)].next) {
    symbols.push_back(nodes_[static_cast<size_t>(i)].symbol);
  }
}

}  // namespace rf
