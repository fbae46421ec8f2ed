#include "text/template/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/sanitizers.h"
#include "base/utf8.h"

namespace rf::jinja {

CodePoint DecodeLongAt(std::string_view text, size_t at) {
  const Utf8Step step = DecodeUtf8(text.data() + at, text.data() + text.size());
  return {step.valid ? static_cast<uint32_t>(step.code_point) : 0xfffd, step.length};
}

size_t SizeBefore(std::string_view text, size_t end) {
  for (size_t size = 1; size <= 4 && size <= end; ++size) {
    if ((static_cast<uint8_t>(text[end - size]) & 0xc0u) == 0x80u) continue;
    return DecodeAt(text, end - size).size == size ? size : 1;
  }
  return 1;
}

bool IsAscii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

size_t CountCodePoints(std::string_view text) {
  if (IsAscii(text)) return text.size();
  size_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) at += DecodeAt(text, at).size;
  return count;
}

size_t ByteOffset(std::string_view text, size_t n) {
  size_t at = 0;
  for (; n > 0 && at < text.size(); --n) at += DecodeAt(text, at).size;
  return at;
}

bool IsSpace(uint32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31);
  return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
         c == 0x202f || c == 0x205f || c == 0x3000;
}

namespace {

utf8proc_category_t Category(uint32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

}  // namespace

bool IsPrintable(uint32_t c) {
  if (c < 0x7f) return c >= ' ';
  switch (Category(c)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return false;
    default: return true;
  }
}

bool IsAlpha(uint32_t c) {
  const utf8proc_category_t k = Category(c);
  return k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LL || k == UTF8PROC_CATEGORY_LT ||
         k == UTF8PROC_CATEGORY_LM || k == UTF8PROC_CATEGORY_LO;
}

bool IsDigit(uint32_t c) {
  return Category(c) == UTF8PROC_CATEGORY_ND || c == 0xb2 || c == 0xb3 || c == 0xb9;
}

bool IsUpper(uint32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z';
  return Category(c) == UTF8PROC_CATEGORY_LU;
}

bool IsLower(uint32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z';
  return Category(c) == UTF8PROC_CATEGORY_LL;
}

namespace {

bool IsCased(uint32_t c) {
  return IsUpper(c) || IsLower(c) || Category(c) == UTF8PROC_CATEGORY_LT;
}

struct Expansion {
  uint32_t code_point;
  std::string_view upper;
  std::string_view title;
};

// The mappings to more than one letter that occur in text. Source: Unicode, SpecialCasing.txt.
constexpr std::array kExpansions = {
    Expansion{0xdf, "SS", "Ss"},
    Expansion{0x149, "\xca\xbcN", "\xca\xbcN"},
    Expansion{0x1f0, "J\xcc\x8c", "J\xcc\x8c"},
    Expansion{0x587, "\xd4\xb5\xd5\x92", "\xd4\xb5\xd6\x82"},
    Expansion{0xfb00, "FF", "Ff"},
    Expansion{0xfb01, "FI", "Fi"},
    Expansion{0xfb02, "FL", "Fl"},
    Expansion{0xfb03, "FFI", "Ffi"},
    Expansion{0xfb04, "FFL", "Ffl"},
    Expansion{0xfb05, "ST", "St"},
    Expansion{0xfb06, "ST", "St"},
};

void AppendUpper(std::string& out, uint32_t c, bool title) {
  if (c < 0x80) {
    out += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    return;
  }
  if (c >= 0xdf) {
    for (const Expansion& e : kExpansions) {
      if (e.code_point != c) continue;
      out += title ? e.title : e.upper;
      return;
    }
  }
  const auto code = static_cast<utf8proc_int32_t>(c);
  AppendUtf8(out, static_cast<uint32_t>(title ? utf8proc_totitle(code) : utf8proc_toupper(code)));
}

void AppendLower(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return;
  }
  if (c == 0x130) {  // capital I with dot: the only lower case of two code points
    out += "i\xcc\x87";
    return;
  }
  AppendUtf8(out, static_cast<uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
}

// Calls append(out, code point, index) for each code point.
template <typename F>
std::string MapCodePoints(std::string_view text, F append) {
  std::string out;
  out.reserve(text.size());
  bool first = true;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = DecodeAt(text, at);
    append(out, c.value, first);
    first = false;
    at += c.size;
  }
  return out;
}

}  // namespace

std::string Upper(std::string_view text) {
  return MapCodePoints(text, [](std::string& out, uint32_t c, bool) { AppendUpper(out, c, false); });
}

std::string Lower(std::string_view text) {
  return MapCodePoints(text, [](std::string& out, uint32_t c, bool) { AppendLower(out, c); });
}

std::string Title(std::string_view text) {
  bool in_word = false;
  return MapCodePoints(text, [&in_word](std::string& out, uint32_t c, bool) {
    in_word ? AppendLower(out, c) : AppendUpper(out, c, true);
    in_word = IsCased(c);
  });
}

std::string Capitalize(std::string_view text) {
  return MapCodePoints(
      text, [](std::string& out, uint32_t c, bool first) { first ? AppendUpper(out, c, true) : AppendLower(out, c); });
}

std::string SwapCase(std::string_view text) {
  return MapCodePoints(
      text, [](std::string& out, uint32_t c, bool) { IsUpper(c) ? AppendLower(out, c) : AppendUpper(out, c, false); });
}

std::string_view Strip(std::string_view text, bool left, bool right, std::optional<std::string_view> chars) {
  const auto strips = [&](size_t at, size_t size) {
    if (chars) return Find(*chars, text.substr(at, size)) != std::string_view::npos;
    return IsSpace(DecodeAt(text, at).value);
  };
  size_t begin = 0;
  size_t end = text.size();
  while (left && begin < end) {
    const size_t size = DecodeAt(text, begin).size;
    if (!strips(begin, size)) break;
    begin += size;
  }
  while (right && end > begin) {
    const size_t size = std::min(SizeBefore(text, end), end - begin);
    if (!strips(end - size, size)) break;
    end -= size;
  }
  return text.substr(begin, end - begin);
}

std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = DecodeAt(text, at);
    const bool ends = (c.value >= 10 && c.value <= 13) || (c.value >= 28 && c.value <= 30) || c.value == 0x85 ||
                      c.value == 0x2028 || c.value == 0x2029;
    const size_t next = at + c.size + (c.value == '\r' && text.substr(at + 1).starts_with('\n') ? 1 : 0);
    if (ends) {
      lines.push_back(text.substr(begin, (keep_ends ? next : at) - begin));
      begin = next;
    }
    at = next;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

size_t Find(std::string_view text, std::string_view needle, size_t from) {
  if (from > text.size()) return std::string_view::npos;
  if (needle.empty()) return from;
#if RF_ASAN
  return text.find(needle, from);  // AddressSanitizer's memmem looks at all of the rest on each call
#else
  const void* at = memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
  return at == nullptr ? std::string_view::npos : static_cast<size_t>(static_cast<const char*>(at) - text.data());
#endif
}

}  // namespace rf::jinja
