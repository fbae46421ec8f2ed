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

bool StringTable::Insert(int32_t id, uint64_t prepared) {
  const std::string_view text = (*pieces_)[id];
  if (text.empty()) return false;
  const auto tag = static_cast<uint32_t>(prepared >> 32);
  size_t i = prepared & mask_;
  for (; slots_[i].id >= 0; i = (i + 1) & mask_) {
    if (slots_[i].tag == tag && (*pieces_)[slots_[i].id] == text) return false;
  }
  slots_[i] = {tag, id};
  max_length_ = std::max(max_length_, text.size());
  return true;
}

void StringTable::InsertAll(const std::vector<int32_t>& ids) {
  constexpr size_t kBatch = 32;
  uint64_t prepared[kBatch];
  for (size_t begin = 0; begin < ids.size(); begin += kBatch) {
    const size_t n = std::min(kBatch, ids.size() - begin);
    for (size_t i = 0; i < n; ++i) prepared[i] = Prepare((*pieces_)[ids[begin + i]]);
    for (size_t i = 0; i < n; ++i) Insert(ids[begin + i], prepared[i]);
  }
}

}  // namespace rf
