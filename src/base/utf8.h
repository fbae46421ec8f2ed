// UTF-8: strict decoding and validation, replacement of what is invalid, and escaping of untrusted text for messages.
// Well-formed means Unicode 15.0, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rf {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;
inline constexpr std::string_view kReplacementUtf8 = "\xEF\xBF\xBD";

/// One step of a decoder over bytes.
struct Utf8Step {
  char32_t code_point = 0;  ///< meaningless unless `valid`
  uint32_t length = 0;  ///< bytes of the sequence; if invalid those of its maximal subpart (at least 1); 0 at the end
  bool valid = false;   ///< a well-formed sequence
  bool truncated = false;  ///< invalid only because the text ends inside a sequence that could still become valid
};

/// DecodeUtf8 byte by byte: what it leaves over. REQUIRES: available > 0.
Utf8Step DecodeUtf8Carefully(const char* p, size_t available);

/// Looks at the first sequence of [p, end).
inline Utf8Step DecodeUtf8(const char* p, const char* end) {
  const auto available = static_cast<size_t>(end - p);
  if (available == 0) return {};
  const auto byte = [p](uint32_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(p[i])); };
  const uint32_t first = byte(0);
  if (first < 0x80) return {first, 1, true, false};
  if (first >= 0xC2 && first < 0xE0 && available >= 2 && (byte(1) & 0xC0) == 0x80) {
    return {(first & 0x1F) << 6 | (byte(1) & 0x3F), 2, true, false};
  }
  if (first >= 0xE0 && first < 0xF0 && available >= 3 && (byte(1) & 0xC0) == 0x80 && (byte(2) & 0xC0) == 0x80) {
    const char32_t value = (first & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    if (value >= 0x800 && (value < 0xD800 || value > 0xDFFF)) return {value, 3, true, false};
  }
  return DecodeUtf8Carefully(p, available);
}

/// Number of leading bytes of `text` that are well-formed UTF-8; text.size() if all are.
size_t ValidUtf8Prefix(std::string_view text);

inline bool IsValidUtf8(std::string_view text) {
  return ValidUtf8Prefix(text) == text.size();
}

/// Appends the UTF-8 form of `code_point`; U+FFFD for surrogates and values above U+10FFFF.
void AppendUtf8(std::string& out, char32_t code_point);

/// How many U+FFFD an ill-formed stretch becomes.
enum class Utf8Replacement {
  kMaximalSubpart,  ///< one for each maximal subpart (Unicode 15.0, section 3.9; what browsers and Python do)
  kEveryByte,       ///< one for each byte
};

/// `text` with everything ill-formed replaced by U+FFFD.
std::string ReplaceInvalidUtf8(std::string_view text, Utf8Replacement how = Utf8Replacement::kMaximalSubpart);

/// Untrusted text for an error message or a log line: control characters, quotes, backslashes, invisible and
/// bidirectional formatting characters and invalid bytes become \n, \', \x1b or \u{200b}; the result is valid UTF-8 on
/// one line of at most `max_bytes` bytes (at least 4), ending in "..." when it was cut.
std::string EscapeForMessage(std::string_view text, size_t max_bytes = 64);

}  // namespace rf
