// Token texts in flat memory, and a hash table from text to token id over them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/hash.h"

namespace rf {

/// Byte strings numbered from 0, stored one after the other. REQUIRES: less than 4 GiB in all.
class PieceTable {
 public:
  void Reserve(size_t n_pieces, size_t n_bytes) {
    offsets_.reserve(n_pieces + 1);
    bytes_.reserve(n_bytes);
  }
  void Add(std::string_view piece) {
    bytes_.append(piece);
    offsets_.push_back(static_cast<uint32_t>(bytes_.size()));
  }
  std::string_view operator[](int32_t id) const {
    const auto i = static_cast<size_t>(id);
    return std::string_view(bytes_).substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
  }
  size_t size() const { return offsets_.size() - 1; }

 private:
  std::vector<uint32_t> offsets_{0};
  std::string bytes_;
};

/// Open-addressing map from the pieces of a PieceTable to their numbers. The first of equal pieces wins.
class StringTable {
 public:
  /// `pieces` must outlive the table and not change what was inserted. Room for `capacity` entries.
  StringTable(const PieceTable* pieces, size_t capacity);

  /// Adds pieces[id]; false if an equal piece is there already. Empty pieces are never added.
  bool Insert(int32_t id) { return Insert(id, Prepare((*pieces_)[id])); }
  /// Adds many, faster than one by one.
  void InsertAll(const std::vector<int32_t>& ids);
  /// Number of the piece equal to `text`, or -1.
  int32_t Find(std::string_view text) const { return Find(text, HashBytes(text, seed_)); }

  /// First half of Insert or Find when many of them follow each other: asks for the memory, which is far away, and
  /// returns what the second half needs.
  uint64_t Prepare(std::string_view text) const {
    const uint64_t hash = HashBytes(text, seed_);
    __builtin_prefetch(&slots_[hash & mask_]);
    return hash;
  }
  bool Insert(int32_t id, uint64_t prepared);
  int32_t Find(std::string_view text, uint64_t prepared) const {
    if (text.size() > max_length_) return -1;
    const auto tag = static_cast<uint32_t>(prepared >> 32);
    for (size_t i = prepared & mask_;; i = (i + 1) & mask_) {
      const Slot& slot = slots_[i];
      if (slot.id < 0) return -1;
      if (slot.tag == tag && (*pieces_)[slot.id] == text) return slot.id;
    }
  }
  /// Length in bytes of the longest piece added.
  size_t max_length() const { return max_length_; }

 private:
  struct Slot {
    uint32_t tag = 0;
    int32_t id = -1;
  };
  const PieceTable* pieces_;
  std::vector<Slot> slots_;
  size_t mask_;
  uint64_t seed_;
  size_t max_length_ = 0;
};

}  // namespace rf
