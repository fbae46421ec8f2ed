// Which characters or bytes stand side by side in some token: where a long word falls apart for certain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "text/tokenizer/hash.h"

namespace rf {

/// A set of pairs of adjacent characters: exact for ASCII, a hashed bit map for the rest, which may say yes wrongly but
/// never no.
class JoinFilter {
 public:
  /// Stands for a byte that is no character; it joins nothing.
  static constexpr char32_t kNoCharacter = 0x110000;

  /// Adds the pairs inside `text`.
  void Add(std::string_view text) {
    char32_t previous = kNoCharacter;
    const char* const end = text.data() + text.size();
    for (const char* p = text.data(); p != end;) {
      const Utf8Step step = DecodeUtf8(p, end);
      const char32_t c = step.valid ? step.code_point : kNoCharacter;
      if (c != kNoCharacter && previous != kNoCharacter) Set(Bit(previous, c));
      previous = c;
      p += step.valid ? step.length : 1;
    }
  }
  bool MayJoin(char32_t left, char32_t right) const {
    if (left == kNoCharacter || right == kNoCharacter) return false;
    const size_t bit = Bit(left, right);
    return ((bits_[bit >> 6] >> (bit & 63)) & 1) != 0;
  }

 private:
  static constexpr size_t kAsciiBits = 128 * 128;
  static constexpr size_t kHashedBits = size_t{1} << 20;

  static size_t Bit(char32_t left, char32_t right) {
    if ((left | right) < 128) return (static_cast<size_t>(left) << 7) | right;
    const uint64_t hash = ((static_cast<uint64_t>(left) << 32) | right) * 0x9E3779B97F4A7C15u;
    return kAsciiBits + (hash >> 44);
  }
  void Set(size_t bit) { bits_[bit >> 6] |= uint64_t{1} << (bit & 63); }

  std::vector<uint64_t> bits_ = std::vector<uint64_t>((kAsciiBits + kHashedBits) / 64);
};

/// The same for bytes: exact.
class ByteJoinFilter {
 public:
  void Add(char left, char right) { bits_[Bit(left, right) >> 6] |= uint64_t{1} << (Bit(left, right) & 63); }
  bool MayJoin(char left, char right) const {
    return ((bits_[Bit(left, right) >> 6] >> (Bit(left, right) & 63)) & 1) != 0;
  }

 private:
  static size_t Bit(char left, char right) {
    return (static_cast<size_t>(static_cast<uint8_t>(left)) << 8) | static_cast<uint8_t>(right);
  }
  std::vector<uint64_t> bits_ = std::vector<uint64_t>(65536 / 64);
};

}  // namespace rf
