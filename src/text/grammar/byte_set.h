// Sets of bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace rf::grammar {

/// Bit b of the whole: byte b.
using ByteSet = std::array<uint64_t, 4>;

inline void AddByte(ByteSet& set, size_t byte) {
  set[byte / 64] |= uint64_t{1} << (byte % 64);
}

inline bool HasByte(const ByteSet& set, size_t byte) {
  return (set[byte / 64] >> (byte % 64) & 1) != 0;
}

inline int CountBytes(const ByteSet& set) {
  int n = 0;
  for (const uint64_t word : set) n += __builtin_popcountll(word);
  return n;
}

/// As many bytes as there are letters: what may go on with them allows thousands of tokens.
inline bool IsWide(const ByteSet& set) {
  return CountBytes(set) >= 24;
}

/// visit(byte) for each, ascending.
template <typename Visit>
void ForEachByte(const ByteSet& set, Visit visit) {
  for (size_t word = 0; word < set.size(); ++word) {
    for (uint64_t rest = set[word]; rest != 0; rest &= rest - 1) {
      visit(static_cast<uint8_t>(word * 64 + static_cast<size_t>(__builtin_ctzll(rest))));
    }
  }
}

}  // namespace rf::grammar
