#include "text/tokenizer/normalize.h"

#include <utf8proc.h>

#include <algorithm>
#include <vector>

#include "base/utf8.h"
#include "text/tokenizer/decompose.h"
#include "text/tokenizer/scan.h"

namespace rf {
namespace {

bool IsSurrogate(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  return text.size() >= 3 && byte(0) == 0xED && byte(1) >= 0xA0 && byte(1) <= 0xBF && byte(2) >= 0x80 &&
         byte(2) <= 0xBF;
}

int CombiningClass(utf8proc_int32_t c) {
  return utf8proc_get_property(c)->combining_class;
}

// Canonical ordering: marks of one run by their combining class, stable. (The library's own is quadratic.)
void OrderMarks(std::vector<utf8proc_int32_t>& text) {
  for (auto run = text.begin(); run != text.end();) {
    if (CombiningClass(*run) == 0) {
      ++run;
      continue;
    }
    const auto run_end = std::find_if(run, text.end(), [](utf8proc_int32_t c) { return CombiningClass(c) == 0; });
    std::stable_sort(run, run_end,
                     [](utf8proc_int32_t a, utf8proc_int32_t b) { return CombiningClass(a) < CombiningClass(b); });
    run = run_end;
  }
}

// Appends NFC of [p, end) to `out`.
void AppendNfc(const char* p, const char* end, std::vector<utf8proc_int32_t>& buffer, std::string& out) {
  constexpr auto kCompose = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  buffer.clear();
  while (p != end) {
    const CharInfo c = PeekChar(p, end);
    p += c.length;
    utf8proc_int32_t parts[kMaxDecomposition];
    buffer.insert(buffer.end(), parts, parts + Decompose(c.code_point, parts));
  }
  OrderMarks(buffer);
  const auto n = utf8proc_normalize_utf32(buffer.data(), static_cast<utf8proc_ssize_t>(buffer.size()), kCompose);
  for (utf8proc_ssize_t i = 0; i < n; ++i) AppendUtf8(out, static_cast<char32_t>(buffer[static_cast<size_t>(i)]));
}

}  // namespace

bool IsReadable(std::string_view text, std::string& repaired) {
  size_t valid = ValidUtf8Prefix(text);
  if (valid == text.size()) return true;
  bool is_readable = true;
  repaired.clear();
  while (true) {
    repaired.append(text.substr(0, valid));
    text.remove_prefix(valid);
    if (text.empty()) return is_readable;
    if (IsSurrogate(text)) {
      repaired.append(text.substr(0, 3));
      text.remove_prefix(3);
    } else {
      is_readable = false;
      repaired.append(kReplacementUtf8);
      text.remove_prefix(1);
    }
    valid = ValidUtf8Prefix(text);
  }
}

bool IsNfc(std::string_view text, std::string& normalized) {
  // Nearly all text is; find that out without copying it.
  const char* const end = text.data() + text.size();
  if (scan::SkipNone(text.data(), end, kMayNotBeNfc) == end) return true;
  const char* copied = text.data();   // everything before is in `normalized`
  const char* starter = text.data();  // the last character that composes with nothing before it
  std::vector<utf8proc_int32_t> buffer;
  std::string piece;
  bool is_nfc = true;
  normalized.clear();
  for (const char* p = text.data(); p != end;) {
    const CharInfo c = PeekChar(p, end);
    if (!c.Is(kMayNotBeNfc)) {
      starter = p;
      p += c.length;
      continue;
    }
    const char* const run_end = scan::SkipAny(p, end, kMayNotBeNfc);
    const char* const begin = IsSurrogate({starter, static_cast<size_t>(p - starter)}) ? p : starter;
    piece.clear();
    AppendNfc(begin, run_end, buffer, piece);
    p = starter = run_end;
    if (piece == std::string_view(begin, static_cast<size_t>(run_end - begin))) continue;
    if (is_nfc) normalized.reserve(text.size() + text.size() / 16);
    is_nfc = false;
    normalized.append(copied, begin);
    normalized += piece;
    copied = run_end;
  }
  if (!is_nfc) normalized.append(copied, end);
  return is_nfc;
}

}  // namespace rf
