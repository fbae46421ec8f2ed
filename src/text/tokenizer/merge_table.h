// The ranked merges of a vocabulary in flat memory.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "text/tokenizer/hash.h"
#include "text/tokenizer/merge.h"

namespace rf {

/// Open-addressing map from a pair of tokens to what they merge into.
class MergeTable {
 public:
  void Reserve(size_t n_merges) {
    slots_.assign(std::bit_ceil(2 * n_merges + 2), Slot{});
    seed_ = HashSeed();
  }
  /// False if the pair is there already.
  bool Insert(int32_t left, int32_t right, MergeCandidate merged) {
    Slot& slot = slots_[Locate(Key(left, right))];
    if (slot.key != kFree) return false;
    slot = {Key(left, right), merged};
    return true;
  }
  void Prefetch(int32_t left, int32_t right) const { __builtin_prefetch(&slots_[Home(Key(left, right))]); }
  MergeCandidate Find(int32_t left, int32_t right) const {
    if ((left | right) < 0) return {};
    return slots_[Locate(Key(left, right))].merged;
  }

 private:
  static constexpr uint64_t kFree = ~uint64_t{0};
  struct Slot {
    uint64_t key = kFree;
    MergeCandidate merged;
  };
  static uint64_t Key(int32_t left, int32_t right) {
    return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
  }
  size_t Home(uint64_t key) const { return FoldedMultiply(key ^ seed_, 0x9E3779B97F4A7C15u) & (slots_.size() - 1); }
  /// Where the key is, or would be.
  size_t Locate(uint64_t key) const {
    const size_t mask = slots_.size() - 1;
    size_t i = Home(key);
    while (slots_[i].key != key && slots_[i].key != kFree) i = (i + 1) & mask;
    return i;
  }

  std::vector<Slot> slots_;
  uint64_t seed_ = 0;
};

}  // namespace rf
