#include "text/grammar/token_set.h"

#include <algorithm>
#include <utility>

namespace rf::grammar {

size_t TokenSet::size_bytes() const {
  return sizeof(*this) + flips.capacity() * sizeof(flips[0]) + (kept ? kept->size() * sizeof(uint64_t) : 0);
}

void TokenSetBuilder::Unite(const Mask& mask, std::span<const int32_t> without) {
  if (set_.base == nullptr && set_.flips.empty()) {
    set_.base = &mask;
    for (const int32_t token : without) Remove(token);
    return;
  }
  Mask united = mask;
  for (const int32_t token : without) united[static_cast<size_t>(token) / 64] &= ~(uint64_t{1} << (token % 64));
  const Mask so_far = Copy();
  for (size_t i = 0; i < united.size(); ++i) united[i] |= so_far[i];
  Keep(std::move(united));
}

// The set so far as a bitmap.
Mask TokenSetBuilder::Copy() const {
  Mask mask = set_.base != nullptr ? *set_.base : Mask(flipped_.size(), 0);
  for (const int32_t token : set_.flips) {
    const uint64_t bit = uint64_t{1} << (token % 64);
    const size_t word = static_cast<size_t>(token) / 64;
    const uint64_t old = set_.base != nullptr ? (*set_.base)[word] : 0;
    mask[word] = (mask[word] & ~bit) | ((old ^ flipped_[word]) & bit);
  }
  return mask;
}

void TokenSetBuilder::Keep(Mask mask) {
  for (const int32_t token : set_.flips) flipped_[static_cast<size_t>(token) / 64] = 0;
  set_.flips.clear();
  set_.kept = std::make_unique<const Mask>(std::move(mask));
  set_.base = set_.kept.get();
}

// Leaves each token that is flipped in the list once.
void TokenSetBuilder::DropPairs() {
  std::erase_if(set_.flips, [&](int32_t token) {
    if (!HasToken(flipped_, token)) return true;
    FlipToken(flipped_, token);
    return false;
  });
}

TokenSet TokenSetBuilder::Finish() {
  // As many flips as a bitmap has words are written more slowly than the bitmap is copied.
  if (set_.flips.size() > flipped_.size()) {
    Keep(Copy());
  } else {
    DropPairs();
    set_.flips.shrink_to_fit();
  }
  return std::exchange(set_, {});
}

std::span<const uint64_t> MaskBuffer::Show(const TokenSet& set, size_t n_words) {
  if (shown_ == &set) return bits_;
  bits_.resize(n_words);
  const Mask* base = shown_ != nullptr ? shown_->base : nullptr;
  if (set.base != nullptr && set.base != base) {
    std::copy(set.base->begin(), set.base->end(), bits_.begin());
  } else if (set.base == base) {
    if (shown_ != nullptr) {
      for (const int32_t token : shown_->flips) FlipToken(bits_, token);
    }
  } else {
    std::fill(bits_.begin(), bits_.end(), 0);
  }
  for (const int32_t token : set.flips) FlipToken(bits_, token);
  shown_ = &set;
  return bits_;
}

void MaskBuffer::Clear() {
  std::fill(bits_.begin(), bits_.end(), 0);
  shown_ = nullptr;
}

}  // namespace rf::grammar
