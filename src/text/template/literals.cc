// String and number literals.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/utf8.h"
#include "text/template/parser.h"
#include "text/template/unicode.h"

namespace rf::jinja {

namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Python's escapes in one string literal.
class Unescaper {
 public:
  explicit Unescaper(std::string_view text) : text_(text) {}

  Result<std::string> Run() {
    while (at_ < text_.size()) {
      const size_t backslash = text_.find('\\', at_);
      out_ += text_.substr(at_, backslash - at_);
      if (backslash == std::string_view::npos) break;
      at_ = backslash + 1;
      RF_RETURN_IF_ERROR(Escape());
    }
    return std::move(out_);
  }

 private:
  Status Escape() {
    constexpr std::string_view kLetters = "\\'\"abfnrtv";
    constexpr std::string_view kValues = "\\'\"\a\b\f\n\r\t\v";
    const char c = text_[at_++];
    if (const size_t known = kLetters.find(c); known != std::string_view::npos) {
      out_ += kValues[known];
    } else if (c >= '0' && c <= '7') {
      --at_;
      AppendUtf8(out_, Octal());
    } else if (c == 'x' || c == 'u' || c == 'U') {
      return HexEscape(c);
    } else if (c == 'N') {
      return Fail("named characters (\\N) are not supported in strings");
    } else if (c != '\n') {  // a newline after a backslash is dropped; anything else keeps the backslash
      out_ += '\\';
      --at_;
      const size_t size = DecodeAt(text_, at_).size;
      out_ += text_.substr(at_, size);
      at_ += size;
    }
    return {};
  }

  uint32_t Octal() {
    uint32_t value = 0;
    for (int i = 0; i < 3 && at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '7'; ++i) {
      value = value * 8 + static_cast<uint32_t>(text_[at_++] - '0');
    }
    return value;
  }

  Result<uint32_t> Hex(size_t digits) {
    uint32_t value = 0;
    for (size_t i = 0; i < digits; ++i) {
      const int digit = at_ < text_.size() ? HexDigit(text_[at_]) : -1;
      if (digit < 0) return Fail(fmt::format("a string has an escape with fewer than {} hexadecimal digits", digits));
      value = value << 4 | static_cast<uint32_t>(digit);
      ++at_;
    }
    return value;
  }

  Status HexEscape(char kind) {
    RF_ASSIGN_OR_RETURN(uint32_t value, Hex(kind == 'x' ? 2 : kind == 'u' ? 4 : 8));
    const bool is_high = value >= 0xd800 && value < 0xdc00;
    if (is_high && text_.substr(at_).starts_with("\\u")) {
      const size_t mark = at_;
      at_ += 2;
      RF_ASSIGN_OR_RETURN(const uint32_t low, Hex(4));
      if (low >= 0xdc00 && low < 0xe000) {
        value = 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00);
      } else {
        at_ = mark;
      }
    }
    if (value > 0x10ffff) return Fail("a string has an escape beyond U+10FFFF");
    AppendUtf8(out_, value);
    return {};
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

Result<std::string> StringLiteral(const Token& token) {
  Result<std::string> text = Unescaper(token.text.substr(1, token.text.size() - 2)).Run();
  if (!text) return SyntaxError(token.position, text.error().message);
  return text;
}

Result<Value> NumberLiteral(const Token& token) {
  std::string digits(token.text);
  digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
  if (token.kind == TokenKind::kFloat) return Value::Float(strtod(digits.c_str(), nullptr));
  const char mark = digits.size() > 1 ? static_cast<char>(digits[1] | 0x20) : '0';
  const int base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
  if (base == 10 && digits.size() > 1 && digits[0] == '0' && digits.find_first_not_of('0') != std::string::npos) {
    return SyntaxError(token.position, "a number must not begin with 0");
  }
  WideInt value = 0;
  for (const char c : std::string_view(digits).substr(base == 10 ? 0 : 2)) {
    if (__builtin_mul_overflow(value, WideInt{base}, &value) ||
        __builtin_add_overflow(value, WideInt{HexDigit(c)}, &value)) {
      return SyntaxError(token.position, "a number needs more than 128 bits");
    }
  }
  return Value::Wide(value);
}

}  // namespace rf::jinja
