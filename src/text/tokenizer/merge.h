// The merge loop that both BPE kinds share: of all adjacent pairs that may be merged, merge the one of best priority,
// the leftmost among equals, until none is left (Sennrich et al. 2016, arXiv:1508.07909, applied to inference).
// Short words by scanning an array, long ones with a queue: O(n log n) at worst for n symbols.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "text/tokenizer/merge_queue.h"

namespace rf {

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
      RunQueue(find);
    }
  }

 private:
  static constexpr size_t kMaxScanned = 40;
  static constexpr size_t kMaxKept = size_t{1} << 16;  // symbols whose working memory is kept for the next word

  struct Node {
    MergeSymbol symbol;
    int32_t previous, next;  // -1 outside
    MergeCandidate with_next;
  };

  template <typename Find>
  void RunScan(const Find& find);
  template <typename Find>
  void RunQueue(const Find& find);
  template <typename Find>
  void Reconsider(const Find& find, int32_t left);
  Node& At(int32_t i) { return nodes_[static_cast<size_t>(i)]; }

  MergeCandidate candidates_[kMaxScanned];
  std::vector<Node> nodes_;
  MergeQueue queue_;
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

// Looks the pair that begins at `left` up anew. What the queue still holds of the old pair is outdated by that.
template <typename Find>
void Merger::Reconsider(const Find& find, int32_t left) {
  Node& node = At(left);
  node.with_next = {};
  const Node& right = At(node.next);
  if (right.next < 0) return;  // the closing symbol
  node.with_next = find(node.symbol, right.symbol, At(right.next).symbol.begin);
  if (node.with_next.priority != kNoMerge) queue_.Push(node.with_next.priority, static_cast<uint32_t>(left));
}

template <typename Find>
void Merger::RunQueue(const Find& find) {
  const auto n = static_cast<int32_t>(symbols.size());
  nodes_.clear();
  for (int32_t i = 0; i < n; ++i) {
    nodes_.push_back({symbols[static_cast<size_t>(i)], i - 1, i + 1 < n ? i + 1 : -1, {}});
  }
  queue_.Clear();
  for (int32_t i = 0; i + 1 < n; ++i) Reconsider(find, i);
  uint32_t priority = 0, position = 0;
  while (queue_.Pop(priority, position)) {
    const auto left = static_cast<int32_t>(position);
    Node& node = At(left);
    if (node.with_next.priority != priority) continue;  // outdated
    Node& right = At(node.next);
    node.symbol.id = node.with_next.id;
    node.next = right.next;
    At(right.next).previous = left;
    right.with_next = {};
    if (node.previous >= 0) Reconsider(find, node.previous);
    Reconsider(find, left);
  }
  symbols.clear();
  for (int32_t i = 0; i >= 0; i = At(i).next) symbols.push_back(At(i).symbol);
  if (nodes_.size() <= kMaxKept) return;
  nodes_ = {};
  queue_ = {};
}

}  // namespace rf
