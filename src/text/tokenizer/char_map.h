// The normalization rules that a SentencePiece model carries (`precompiled_charsmap`): texts and what they become.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rf {

/// A double-array trie over the texts (as the darts-clone library lays it out), each leading to a replacement. Source:
/// sentencepiece's normalizer; S. Yata, darts-clone.
class CharMap {
 public:
  /// No rules.
  CharMap() = default;
  /// Reads the blob: the trie's size in bytes (u32, little endian), the trie, the replacements, each ended by a NUL.
  /// Errors: kCorruptFile for sizes that do not fit. What is wrong inside the trie only ends a look-up.
  static Result<CharMap> Parse(std::string_view blob);

  struct Rule {
    size_t length = 0;  ///< bytes replaced; 0: no rule fits
    std::string_view replacement;
  };
  /// The rule of the longest text that [p, end) begins with.
  Rule Find(const char* p, const char* end) const;

 private:
  std::vector<uint32_t> units_;
  std::string replacements_;
};

}  // namespace rf
