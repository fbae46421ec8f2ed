#include "text/tokenizer/string_table.h"

#include <algorithm>
#include <bit>
#include <random>

namespace rf {

uint64_t HashSeed() {
  static const uint64_t seed = [] {
    std::random_device device;
    return (static_cast<uint64_t>(device()) << 32) ^ device();
  }();
  return seed;
}

StringTable::StringTable(const PieceTable* pieces, size_t capacity)
    : pieces_(pieces), slots_(std::bit_ceil(2 * capacity + 2)), mask_(slots_.size() - 1), seed_(HashSeed()) {}

bool StringTable::Insert(int32_t id) {
  const std::string_view text = (*pieces_)[id];
  if (text.empty()) return false;
  const uint64_t hash = HashBytes(text, seed_);
  const auto tag = static_cast<uint32_t>(hash >> 32);
  size_t i = hash & mask_;
  for (; slots_[i].id >= 0; i = (i + 1) & mask_) {
    if (slots_[i].tag == tag && (*pieces_)[slots_[i].id] == text) return false;
  }
  slots_[i] = {tag, id};
  max_length_ = std::max(max_length_, text.size());
  return true;
}

}  // namespace rf
