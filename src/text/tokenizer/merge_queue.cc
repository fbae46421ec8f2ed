#include "text/tokenizer/merge_queue.h"

#include <algorithm>
#include <functional>

namespace rf {
namespace {

constexpr size_t kFirstTableSize = 256;

size_t HashPriority(uint32_t priority) {
  return (priority * 0x9E3779B97F4A7C15u) >> 32;
}

}  // namespace

void MergeQueue::Clear() {
  for (size_t i = 0; i < n_buckets_; ++i) {
    buckets_[i].positions.clear();
    buckets_[i].first = 0;
    buckets_[i].is_heap = false;
  }
  n_buckets_ = 0;
  last_bucket_ = 0;
  table_.assign(kFirstTableSize, Slot{});
  active_.clear();
}

void MergeQueue::GrowTable() {
  std::vector<Slot> old(table_.size() * 4);
  old.swap(table_);
  const size_t mask = table_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.priority == kNoMerge) continue;
    size_t i = HashPriority(slot.priority) & mask;
    while (table_[i].priority != kNoMerge) i = (i + 1) & mask;
    table_[i] = slot;
  }
}

uint32_t MergeQueue::FindBucket(uint32_t priority) {
  if (last_bucket_ < n_buckets_ && buckets_[last_bucket_].priority == priority) return last_bucket_;
  if (2 * (n_buckets_ + 1) > table_.size()) GrowTable();
  const size_t mask = table_.size() - 1;
  size_t i = HashPriority(priority) & mask;
  while (table_[i].priority != priority && table_[i].priority != kNoMerge) i = (i + 1) & mask;
  if (table_[i].priority == kNoMerge) {
    table_[i] = {priority, static_cast<uint32_t>(n_buckets_)};
    if (n_buckets_ == buckets_.size()) buckets_.emplace_back();
    buckets_[n_buckets_++].priority = priority;
  }
  last_bucket_ = table_[i].bucket;
  return last_bucket_;
}

void MergeQueue::Push(uint32_t priority, uint32_t position) {
  const uint32_t index = FindBucket(priority);
  Bucket& bucket = buckets_[index];
  if (bucket.empty()) {
    bucket.positions.clear();
    bucket.first = 0;
    bucket.is_heap = false;
    active_.push_back((static_cast<uint64_t>(priority) << 32) | index);
    std::push_heap(active_.begin(), active_.end(), std::greater<>());
  } else if (!bucket.is_heap && position < bucket.positions.back()) {
    // Ascending positions are a heap already, once those taken are gone.
    bucket.positions.erase(bucket.positions.begin(), bucket.positions.begin() + static_cast<ptrdiff_t>(bucket.first));
    bucket.first = 0;
    bucket.is_heap = true;
  }
  bucket.positions.push_back(position);
  if (bucket.is_heap) std::push_heap(bucket.positions.begin(), bucket.positions.end(), std::greater<>());
}

bool MergeQueue::Pop(uint32_t& priority, uint32_t& position) {
  if (active_.empty()) return false;
  priority = static_cast<uint32_t>(active_.front() >> 32);
  Bucket& bucket = buckets_[static_cast<uint32_t>(active_.front())];
  if (bucket.is_heap) {
    std::pop_heap(bucket.positions.begin(), bucket.positions.end(), std::greater<>());
    position = bucket.positions.back();
    bucket.positions.pop_back();
  } else {
    position = bucket.positions[bucket.first++];
  }
  if (bucket.empty()) {
    std::pop_heap(active_.begin(), active_.end(), std::greater<>());
    active_.pop_back();
  }
  return true;
}

}  // namespace rf
