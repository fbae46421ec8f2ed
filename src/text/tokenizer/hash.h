// Hashing of short byte strings for the tokenizer's flat tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace rf {

/// Product of two 64-bit numbers folded to 64 bits: mixes every bit of both.
inline uint64_t FoldedMultiply(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint64_t LoadU64(const char* p) {
  uint64_t value;
  memcpy(&value, p, sizeof(value));
  return value;
}

inline uint64_t LoadU32(const char* p) {
  uint32_t value;
  memcpy(&value, p, sizeof(value));
  return value;
}

/// A number that differs from process to process, so that a crafted file cannot aim at collisions.
uint64_t HashSeed();

/// Hash of `text` under `seed`. Not stable between processes; never store it.
inline uint64_t HashBytes(std::string_view text, uint64_t seed) {
  constexpr uint64_t kOdd1 = 0x9E3779B97F4A7C15u, kOdd2 = 0xD6E8FEB86659FD93u;
  const char* p = text.data();
  size_t n = text.size();
  uint64_t state = seed ^ (n * kOdd2);
  while (n > 16) {
    state = FoldedMultiply(LoadU64(p) ^ kOdd1 ^ state, LoadU64(p + 8) ^ kOdd2);
    p += 16;
    n -= 16;
  }
  uint64_t a = 0, b = 0;
  if (n >= 8) {
    a = LoadU64(p);
    b = LoadU64(p + n - 8);
  } else if (n >= 4) {
    a = LoadU32(p);
    b = LoadU32(p + n - 4);
  } else if (n > 0) {
    a = static_cast<uint8_t>(p[0]) | (static_cast<uint64_t>(static_cast<uint8_t>(p[n / 2])) << 8) |
        (static_cast<uint64_t>(static_cast<uint8_t>(p[n - 1])) << 16);
  }
  return FoldedMultiply(a ^ kOdd1 ^ state, b ^ kOdd2 ^ (state >> 32));
}

}  // namespace rf
