// The queue of the merge loop: which position of a long word is merged next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rf {

inline constexpr uint32_t kNoMerge = UINT32_MAX;

/// A priority queue of (priority, position), lowest first, made for few priorities with many positions each: a heap of
/// the priorities, and for each the positions, which mostly arrive in ascending order. O(log n) for each operation at
/// worst, O(1) for the long runs of one character that would otherwise cost most.
class MergeQueue {
 public:
  void Clear();
  /// REQUIRES: priority != kNoMerge.
  void Push(uint32_t priority, uint32_t position);
  /// Takes the least element; false if there is none.
  bool Pop(uint32_t& priority, uint32_t& position);

 private:
  struct Bucket {
    uint32_t priority = kNoMerge;
    bool is_heap = false;  // a min-heap of positions; otherwise they ascend from `first`
    size_t first = 0;      // those before were taken
    std::vector<uint32_t> positions;
    bool empty() const { return first == positions.size(); }
  };
  // An entry of the hash table from priorities to buckets.
  struct Slot {
    uint32_t priority = kNoMerge;
    uint32_t bucket = 0;
  };

  uint32_t FindBucket(uint32_t priority);
  void GrowTable();

  std::vector<Bucket> buckets_;  // [0, n_buckets_) are in use, the others keep their memory
  size_t n_buckets_ = 0;
  std::vector<Slot> table_;
  std::vector<uint64_t> active_;  // min-heap of priority << 32 | bucket, of the buckets that are not empty
  uint32_t last_bucket_ = 0;
};

}  // namespace rf
