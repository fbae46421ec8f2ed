// UTF-8 text as Python's str sees it: a sequence of code points with character classes and case mappings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rf::jinja {

struct CodePoint {
  uint32_t value;
  uint32_t size;  ///< bytes, at least 1
};

/// As DecodeAt, for text[at] beyond ASCII.
CodePoint DecodeLongAt(std::string_view text, size_t at);

/// The code point at `at`; U+FFFD for an ill-formed sequence. REQUIRES: at < text.size().
inline CodePoint DecodeAt(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  return lead < 0x80 ? CodePoint{lead, 1} : DecodeLongAt(text, at);
}
/// Size in bytes of the code point that ends before `end`. REQUIRES: 0 < end <= text.size().
size_t SizeBefore(std::string_view text, size_t end);

bool IsAscii(std::string_view text);
size_t CountCodePoints(std::string_view text);
/// Byte offset of the n-th code point; text.size() if there are fewer.
size_t ByteOffset(std::string_view text, size_t n);

/// str.isspace of one code point.
bool IsSpace(uint32_t code_point);
/// Whether repr shows it as it is.
bool IsPrintable(uint32_t code_point);
bool IsAlpha(uint32_t code_point);
bool IsDigit(uint32_t code_point);
bool IsUpper(uint32_t code_point);
bool IsLower(uint32_t code_point);

std::string Upper(std::string_view text);
std::string Lower(std::string_view text);
/// str.title, str.capitalize, str.swapcase.
std::string Title(std::string_view text);
std::string Capitalize(std::string_view text);
std::string SwapCase(std::string_view text);

/// str.strip and its halves; without `chars`, white space.
std::string_view Strip(std::string_view text, bool left, bool right, std::optional<std::string_view> chars = {});

/// str.splitlines: "\r\n" and Unicode's line ends count as one each.
std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends = false);

/// First occurrence of `needle` in text[from..], in linear time; npos if none.
size_t Find(std::string_view text, std::string_view needle, size_t from = 0);

}  // namespace rf::jinja
