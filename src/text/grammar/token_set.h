// Sets of tokens: bitmaps, and what differs from one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace rf::grammar {

/// Bit i % 64 of word i / 64: token i.
using Mask = std::vector<uint64_t>;

inline bool HasToken(const Mask& mask, int32_t token) {
  return (mask[static_cast<size_t>(token) / 64] >> (static_cast<size_t>(token) % 64) & 1) != 0;
}
inline void FlipToken(Mask& mask, int32_t token) {
  mask[static_cast<size_t>(token) / 64] ^= uint64_t{1} << (static_cast<size_t>(token) % 64);
}

/// Most sets are small or nearly equal to one that is known: a bitmap of its own for each would cost more time and
/// memory (19 KiB for 150,000 tokens) than all the rest.
struct TokenSet {
  const Mask* base = nullptr;        ///< null: no token at all
  std::vector<int32_t> flips;        ///< the tokens, each once, in which the set differs from `base`
  std::unique_ptr<const Mask> kept;  ///< what `base` points to, if it belongs to this set alone

  size_t size_bytes() const;
};

/// Puts a set together.
class TokenSetBuilder {
 public:
  explicit TokenSetBuilder(size_t n_words) : flipped_(n_words, 0) {}

  void Add(int32_t token) {
    if (!Has(token)) Flip(token);
  }
  void Remove(int32_t token) {
    if (Has(token)) Flip(token);
  }
  /// Adds the tokens of `mask` but for those of `without`. REQUIRES: the mask lives as long as the set will.
  void Unite(const Mask& mask, std::span<const int32_t> without = {});
  /// The set; the builder is empty again.
  TokenSet Finish();

 private:
  bool Has(int32_t token) const {
    return HasToken(flipped_, token) != (set_.base != nullptr && HasToken(*set_.base, token));
  }
  void Flip(int32_t token) {
    FlipToken(flipped_, token);
    set_.flips.push_back(token);
  }
  void DropPairs();
  Mask Copy() const;
  void Keep(Mask mask);

  TokenSet set_;  ///< flips may hold a token twice or more; what counts is flipped_
  Mask flipped_;  ///< zero between sets
};

/// Writes sets out, one after the other, into the same bitmap: only what changes is written.
class MaskBuffer {
 public:
  /// The set's bits, valid until the next call. REQUIRES: the set and what it refers to stay until then, too.
  std::span<const uint64_t> Show(const TokenSet& set, size_t n_words);
  void Clear();

 private:
  Mask bits_;
  const TokenSet* shown_ = nullptr;
};

}  // namespace rf::grammar
