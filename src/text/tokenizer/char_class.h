// What pre-tokenizers ask about a character, as bits; Unicode general categories from utf8proc.
#pragma once

#include <cstdint>

namespace rf {

enum CharClass : uint16_t {
  kLetter = 1 << 0,        ///< \p{L}
  kNumber = 1 << 1,        ///< \p{N}
  kPunctuation = 1 << 2,   ///< \p{P}
  kSymbol = 1 << 3,        ///< \p{S}
  kMark = 1 << 4,          ///< \p{M}
  kSpace = 1 << 5,         ///< \s: the White_Space property
  kUpperLike = 1 << 6,     ///< [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
  kLowerLike = 1 << 7,     ///< [\p{Ll}\p{Lm}\p{Lo}\p{M}]
  kNewline = 1 << 8,       ///< [\r\n]
  kCasedLetter = 1 << 9,   ///< \p{Lu}, \p{Ll}, \p{Lt}
  kMayNotBeNfc = 1 << 10,  ///< canonical composition or reordering may change it or what stands before it
  kDigit = 1 << 11,        ///< \d, \p{Nd}
  kWord = 1 << 12,         ///< \w: [\p{L}\p{M}\p{Nd}\p{Pc}]
  kHan = 1 << 13           ///< \p{Han}: the script of Chinese characters
};

/// A character in front of a scanner: its classes and its bytes. Both are 0 at the end of the text.
struct CharInfo {
  uint16_t classes = 0;
  uint16_t length = 0;
  char32_t code_point = 0;
  bool Is(unsigned mask) const { return (classes & mask) != 0; }
};

/// The code points from first to last, both included.
struct CodePointRange {
  char32_t first, last;
};

inline constexpr char32_t kTabulatedCodePoints = 0x20000;

/// Classes of the code points below kTabulatedCodePoints.
extern const uint16_t* const kCharClasses;

/// Classes of any other code point.
uint16_t LookUpCharClasses(char32_t code_point);

inline uint16_t CharClassesOf(char32_t code_point) {
  return code_point < kTabulatedCodePoints ? kCharClasses[code_point] : LookUpCharClasses(code_point);
}

/// The character at p. REQUIRES: [p, end) is well-formed UTF-8, or holds whole three-byte surrogates besides.
inline CharInfo PeekChar(const char* p, const char* end) {
  if (p == end) return {};
  const auto byte = [p](int i) { return static_cast<uint8_t>(p[i]); };
  const auto tail = [p](int i) { return static_cast<char32_t>(static_cast<uint8_t>(p[i]) & 0x3F); };
  if (byte(0) < 0x80) return {kCharClasses[byte(0)], 1, byte(0)};
  char32_t c;
  uint16_t length;
  if (byte(0) < 0xE0) {
    c = (static_cast<char32_t>(byte(0) & 0x1F) << 6) | tail(1);
    length = 2;
  } else if (byte(0) < 0xF0) {
    c = (static_cast<char32_t>(byte(0) & 0x0F) << 12) | (tail(1) << 6) | tail(2);
    length = 3;
  } else {
    c = (static_cast<char32_t>(byte(0) & 0x07) << 18) | (tail(1) << 12) | (tail(2) << 6) | tail(3);
    length = 4;
  }
  return {CharClassesOf(c), length, c};
}

}  // namespace rf
