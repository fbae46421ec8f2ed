// A small direct-mapped cache from words to their token ids, one cache line an entry. Most words of a text are among a
// few thousand, so most of them cost one lookup.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "text/tokenizer/hash.h"

namespace rf {

class WordCache {
 public:
  WordCache() : entries_(kEntries), seed_(HashSeed()) {}

  /// Appends the ids of the word [p, p + length): those kept from before, or those that encode() appends. `text_end` is
  /// the end of readable memory behind p. REQUIRES: length > 0; all calls are for one tokenizer.
  template <typename Encode>
  void Append(const char* p, size_t length, const char* text_end, std::vector<int32_t>& ids, const Encode& encode) {
    if (length > kMaxBytes) return encode();
    const Key key = MakeKey(p, length, text_end);
    Entry& entry = At(key);
    if (entry.key() == key) {
      ids.insert(ids.end(), entry.ids, entry.ids + entry.n_ids);
      return;
    }
    const size_t n_before = ids.size();
    encode();
    const size_t n_ids = ids.size() - n_before;
    if (n_ids <= kMaxIds) entry.Set(key, ids.data() + n_before, n_ids);
  }

 private:
  static constexpr size_t kEntries = 8192;
  static constexpr size_t kMaxBytes = 24;
  static constexpr size_t kMaxIds = 8;

  // A word in registers: its bytes, zeros behind.
  struct Key {
    uint64_t words[3];
    uint64_t length;
    bool operator==(const Key& other) const {
      return ((words[0] ^ other.words[0]) | (words[1] ^ other.words[1]) | (words[2] ^ other.words[2]) |
              (length ^ other.length)) == 0;
    }
  };

  struct alignas(64) Entry {
    uint64_t words[3] = {};
    uint16_t length = 0;
    uint16_t n_ids = 0;
    uint32_t unused = 0;
    int32_t ids[kMaxIds] = {};
    Key key() const { return {{words[0], words[1], words[2]}, length}; }
    void Set(const Key& key, const int32_t* new_ids, size_t n) {
      memcpy(words, key.words, sizeof(words));
      length = static_cast<uint16_t>(key.length);
      n_ids = static_cast<uint16_t>(n);
      memcpy(ids, new_ids, n * sizeof(ids[0]));
    }
  };

  static Key MakeKey(const char* p, size_t length, const char* text_end) {
    Key key{{0, 0, 0}, length};
    if (text_end - p < static_cast<ptrdiff_t>(kMaxBytes)) {
      memcpy(key.words, p, length);
      return key;
    }
    const auto low_bytes = [length](size_t word) {
      if (length <= 8 * word) return uint64_t{0};
      const size_t n = length - 8 * word;
      return n >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * n)) - 1;
    };
    for (size_t i = 0; i < 3; ++i) key.words[i] = LoadU64(p + 8 * i) & low_bytes(i);
    return key;
  }

  // The place of the key, whatever it holds now.
  Entry& At(const Key& key) {
    const uint64_t hash = FoldedMultiply(key.words[0] ^ seed_, key.words[1] ^ 0x9E3779B97F4A7C15u) ^
                          FoldedMultiply(key.words[2] ^ 0xD6E8FEB86659FD93u, key.length ^ seed_);
    return entries_[hash & (kEntries - 1)];
  }

  std::vector<Entry> entries_;
  uint64_t seed_;
};

}  // namespace rf
