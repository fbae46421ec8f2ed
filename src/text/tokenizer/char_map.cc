#include "text/tokenizer/char_map.h"

#include <fmt/format.h>

namespace rf {
namespace {

constexpr uint32_t kLeafBit = 1u << 31;

uint32_t ReadU32(const char* p) {
  const auto byte = [p](int i) { return static_cast<uint32_t>(static_cast<uint8_t>(p[i])); };
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
}

// The parts of a unit: where its children are, its label (with the top bit, so that a value is no label), whether a
// value hangs on it.
uint32_t OffsetOf(uint32_t unit) {
  return (unit >> 10) << ((unit & (1u << 9)) >> 6);
}
uint32_t LabelOf(uint32_t unit) {
  return unit & (kLeafBit | 0xFF);
}
bool HasValue(uint32_t unit) {
  return ((unit >> 8) & 1) != 0;
}

}  // namespace

Result<CharMap> CharMap::Parse(std::string_view blob) {
  CharMap map;
  if (blob.empty()) return map;
  const auto corrupt = [&blob](std::string_view what) {
    return Error{ErrorCode::kCorruptFile,
                 fmt::format("tokenizer.ggml.precompiled_charsmap of {} bytes {}", blob.size(), what),
                 {}};
  };
  if (blob.size() < 4) return corrupt("is too short");
  const uint32_t n_bytes = ReadU32(blob.data());
  if (n_bytes % 4 != 0 || n_bytes > blob.size() - 4) return corrupt("does not hold the trie that it announces");
  if (n_bytes + 4 < blob.size() && blob.back() != '\0') return corrupt("does not end with a NUL");
  for (size_t i = 0; i < n_bytes; i += 4) map.units_.push_back(ReadU32(blob.data() + 4 + i));
  map.replacements_ = blob.substr(4 + n_bytes);
  return map;
}

CharMap::Rule CharMap::Find(const char* p, const char* end) const {
  Rule rule;
  if (units_.empty()) return rule;
  size_t position = OffsetOf(units_[0]);
  for (const char* q = p; q != end; ++q) {
    const auto label = static_cast<uint8_t>(*q);
    position ^= label;
    if (label == 0 || position >= units_.size() || LabelOf(units_[position]) != label) break;
    const uint32_t unit = units_[position];
    position ^= OffsetOf(unit);
    if (position >= units_.size()) break;
    if (!HasValue(unit)) continue;
    const uint32_t begin = units_[position] & ~kLeafBit;
    if (begin >= replacements_.size()) break;
    rule = {static_cast<size_t>(q - p) + 1, std::string_view(replacements_.data() + begin)};
  }
  return rule;
}

}  // namespace rf
