#include "text/grammar/regex_class.h"

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf::grammar {
namespace {

const CodePointSet& Digits() {
  static const CodePointSet set = {{'0', '9'}};
  return set;
}

const CodePointSet& WordCharacters() {
  static const CodePointSet set = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
  return set;
}

// White space and line ends of ECMA-262, which Unicode's White_Space contains but for U+0085.
const CodePointSet& Spaces() {
  static const CodePointSet set = {{9, 13},          {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680},
                                   {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                                   {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
  return set;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

Result<char32_t> TakeHex(PatternCursor& cursor, int n_digits) {
  char32_t value = 0;
  for (int i = 0; i < n_digits; ++i, ++cursor.at) {
    const int digit = HexDigit(cursor.Peek());
    if (digit < 0) return cursor.Bad(fmt::format("needs {} hexadecimal digits here", n_digits));
    value = value * 16 + static_cast<char32_t>(digit);
  }
  return value;
}

Result<char32_t> TakeBracedHex(PatternCursor& cursor) {
  char32_t value = 0;
  int n_digits = 0;
  for (; HexDigit(cursor.Peek()) >= 0 && n_digits < 7; ++cursor.at, ++n_digits) {
    value = value * 16 + static_cast<char32_t>(HexDigit(cursor.Peek()));
  }
  if (n_digits == 0 || value > kLastCodePoint || !cursor.Take("}")) {
    return cursor.Bad("needs a code point in braces, e.g. \\u{1F600}");
  }
  return value;
}

Result<char32_t> TakeUnicode(PatternCursor& cursor) {
  if (cursor.Take("{")) return TakeBracedHex(cursor);
  RF_ASSIGN_OR_RETURN(const char32_t high, TakeHex(cursor, 4));
  if (high < 0xD800 || high > 0xDFFF) return high;
  const auto lone = [&] { return cursor.Bad("a surrogate alone is no code point", ErrorCode::kUnsupported); };
  if (high > 0xDBFF || !cursor.Take("\\u")) return lone();
  RF_ASSIGN_OR_RETURN(const char32_t low, TakeHex(cursor, 4));
  if (low < 0xDC00 || low > 0xDFFF) return lone();
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

std::optional<CodePointSet> NamedClass(char name) {
  switch (name) {
    case 'd': return Digits();
    case 'D': return Digits().Complement();
    case 'w': return WordCharacters();
    case 'W': return WordCharacters().Complement();
    case 's': return Spaces();
    case 'S': return Spaces().Complement();
    default: return std::nullopt;
  }
}

std::optional<char32_t> ControlEscape(char name) {
  switch (name) {
    case 't': return '\t';
    case 'n': return '\n';
    case 'r': return '\r';
    case 'f': return '\f';
    case 'v': return '\v';
    case '0': return 0;
    default: return std::nullopt;
  }
}

bool IsPunctuation(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte < '0') || (byte > '9' && byte < 'A') || (byte > 'Z' && byte < 'a') ||
         (byte > 'z' && byte < 0x7F);
}

}  // namespace

bool PatternCursor::Take(std::string_view expected) {
  if (text.substr(std::min(at, text.size()), expected.size()) != expected) return false;
  at += expected.size();
  return true;
}

char32_t PatternCursor::TakeCodePoint() {
  const Utf8Step step = DecodeUtf8(text.data() + at, text.data() + text.size());
  at += step.length;
  return step.valid ? step.code_point : kReplacementCharacter;
}

Error PatternCursor::Bad(std::string message, ErrorCode code) const {
  size_t column = 1;
  for (size_t i = 0; i < std::min(at, text.size()); ++i) column += (static_cast<uint8_t>(text[i]) & 0xC0) != 0x80;
  return {code, std::move(message), fmt::format("column {}", column)};
}

Result<Escape> ParseEscape(PatternCursor& cursor, bool in_class) {
  if (cursor.AtEnd()) return cursor.Bad("a backslash at the end");
  const char name = cursor.Peek();
  if (const auto set = NamedClass(name)) {
    ++cursor.at;
    return Escape{std::nullopt, *set};
  }
  const bool is_octal = name == '0' && cursor.Peek(1) >= '0' && cursor.Peek(1) <= '9';
  if (const auto control = ControlEscape(name); control && !is_octal) {
    ++cursor.at;
    return Escape{*control, {}};
  }
  if (in_class && name == 'b') {
    ++cursor.at;
    return Escape{U'\b', {}};
  }
  if (name == 'U') {
    ++cursor.at;
    RF_ASSIGN_OR_RETURN(const char32_t code_point, TakeHex(cursor, 8));
    if (code_point > kLastCodePoint) return cursor.Bad("is no code point");
    return Escape{code_point, {}};
  }
  if (name == 'x' || name == 'u') {
    ++cursor.at;
    RF_ASSIGN_OR_RETURN(const char32_t code_point, name == 'x' ? TakeHex(cursor, 2) : TakeUnicode(cursor));
    return Escape{code_point, {}};
  }
  if (IsPunctuation(name)) {
    ++cursor.at;
    return Escape{static_cast<char32_t>(name), {}};
  }
  if (name >= '1' && name <= '9') {
    return cursor.Bad("back references are not supported: no automaton can follow them", ErrorCode::kUnsupported);
  }
  if (name == 'b' || name == 'B') {
    return cursor.Bad(fmt::format("\\{} (word boundary) is not supported", name), ErrorCode::kUnsupported);
  }
  if (name == 'p' || name == 'P') {
    return cursor.Bad(fmt::format("\\{}{{…}} (Unicode properties) is not supported; list the ranges", name),
                      ErrorCode::kUnsupported);
  }
  // In ECMA-262 the letter itself, without its flag u; elsewhere \A, \z and the like are anchors.
  return cursor.Bad(fmt::format("unknown escape '\\{}'", EscapeForMessage(cursor.text.substr(cursor.at, 1), 8)),
                    ErrorCode::kUnsupported);
}

Result<CodePointSet> ParseClass(PatternCursor& cursor) {
  const bool is_negated = cursor.Take("^");
  std::vector<CodePointRange> ranges;
  if (cursor.Peek() == ']')
    return cursor.Bad(
        "']' right after '[' means different things to different programs; "
        "write \\]",
        ErrorCode::kUnsupported);
  const auto take_one = [&]() -> Result<Escape> {
    if (cursor.Take("\\")) return ParseEscape(cursor, true);
    return Escape{cursor.TakeCodePoint(), {}};
  };
  for (;;) {
    if (cursor.AtEnd()) return cursor.Bad("a class is not closed: ']' is missing");
    if (cursor.Take("]")) break;
    RF_ASSIGN_OR_RETURN(const Escape first, take_one());
    const bool is_range = cursor.Peek() == '-' && cursor.Peek(1) != ']' && cursor.at + 1 < cursor.text.size();
    if (!is_range) {
      if (first.code_point) ranges.push_back({*first.code_point, *first.code_point});
      ranges.insert(ranges.end(), first.set.ranges().begin(), first.set.ranges().end());
      continue;
    }
    ++cursor.at;
    RF_ASSIGN_OR_RETURN(const Escape last, take_one());
    if (!first.code_point || !last.code_point) {
      return cursor.Bad("a class such as \\w cannot begin or end a range; write \\- for a '-'",
                        ErrorCode::kUnsupported);
    }
    if (*last.code_point < *first.code_point) {
      return cursor.Bad("a range in a class must go from a lower to a higher character");
    }
    ranges.push_back({*first.code_point, *last.code_point});
  }
  CodePointSet set = CodePointSet::Of(ranges);
  return is_negated ? set.Complement() : set;
}

}  // namespace rf::grammar
