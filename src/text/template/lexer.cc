#include "text/template/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "text/template/unicode.h"
#include "text/template/value_ops.h"

namespace rf::jinja {

std::string PositionText(Position position) {
  return fmt::format("template:{}:{}", position.line, position.column);
}

Error SyntaxError(Position position, std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), PositionText(position)};
}

Error NestingError(Position position, int max_depth) {
  return SyntaxError(position, fmt::format("blocks and brackets are nested more than {} deep", max_depth));
}

Position PositionAt(std::string_view source, size_t offset) {
  const std::string_view before = source.substr(0, offset);
  const size_t last = before.rfind('\n');
  return {static_cast<uint32_t>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<uint32_t>(last == std::string_view::npos ? offset : offset - last - 1) + 1};
}

namespace {

constexpr size_t kNotThere = std::string_view::npos;

bool IsAsciiDigit(char c) {
  return c >= '0' && c <= '9';
}

bool StartsName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<uint8_t>(c) >= 0x80;
}

class Lexer {
 public:
  Lexer(std::string_view source, int max_depth) : source_(source), max_depth_(max_depth) {}

  Result<std::vector<Token>> Run() {
    while (at_ < source_.size()) RF_RETURN_IF_ERROR(Data());
    Add(TokenKind::kEnd, source_.substr(source_.size()));
    return std::move(tokens_);
  }

 private:
  // A tag's begin found in text.
  struct Begin {
    size_t at = kNotThere;
    char mark = 0;  // '%', '{' or '#'
    char sign = 0;  // '-', '+' or 0
    size_t after = 0;
  };

  Error ErrorAt(size_t offset, std::string message) const {
    return SyntaxError(PositionAt(source_, offset), std::move(message));
  }
  bool Has(size_t at, std::string_view text) const {
    return source_.substr(std::min(at, source_.size())).starts_with(text);
  }

  void Add(TokenKind kind, std::string_view text) {
    const auto offset = static_cast<size_t>(text.data() - source_.data());
    for (; counted_ < offset; ++counted_) {
      if (source_[counted_] != '\n') continue;
      ++line_;
      line_start_ = counted_ + 1;
    }
    tokens_.push_back({kind, text, {line_, static_cast<uint32_t>(offset - line_start_) + 1}});
  }

  size_t SkipSpace(size_t at) const {
    while (at < source_.size()) {
      const CodePoint c = DecodeAt(source_, at);
      if (!IsSpace(c.value)) break;
      at += c.size;
    }
    return at;
  }

  Begin FindBegin(size_t from) const {
    for (size_t at = source_.find('{', from); at != kNotThere; at = source_.find('{', at + 1)) {
      const char mark = at + 1 < source_.size() ? source_[at + 1] : 0;
      if (mark != '%' && mark != '{' && mark != '#') continue;
      const char sign = at + 2 < source_.size() ? source_[at + 2] : 0;
      const bool has_sign = sign == '-' || sign == '+';
      return {at, mark, has_sign ? sign : char{0}, at + (has_sign ? 3u : 2u)};
    }
    return {};
  }

  // The text before a tag, without what the tag's sign or lstrip_blocks drop.
  std::string_view TrimBefore(std::string_view text, const Begin& begin) const {
    if (begin.sign == '-') return Strip(text, false, true);
    if (begin.sign == '+' || begin.mark == '{') return text;
    const size_t newline = text.rfind('\n');
    if (newline == kNotThere && !line_starting_) return text;
    const size_t line = newline == kNotThere ? 0 : newline + 1;
    return Strip(text.substr(line), true, false).empty() ? text.substr(0, line) : text;
  }

  void AddText(std::string_view text) {
    if (!text.empty()) Add(TokenKind::kText, text);
  }

  // Where the tag ends that closes at `at` with `close` ("%}", "#}"); kNotThere if it does not close there. Skips the
  // white space or the newline that goes with it.
  size_t CloseAt(size_t at, std::string_view close, bool trims) const {
    const char sign = at < source_.size() ? source_[at] : 0;
    if (sign == '-' && Has(at + 1, close)) return SkipSpace(at + 1 + close.size());
    if (sign == '+' && trims && Has(at + 1, close)) return at + 1 + close.size();
    if (!Has(at, close)) return kNotThere;
    const size_t after = at + close.size();
    return trims && Has(after, "\n") ? after + 1 : after;
  }

  void LeaveTag(size_t after) {
    at_ = after;
    line_starting_ = after > 0 && source_[after - 1] == '\n';
  }

  // {% raw %} without trimming: the end of its tag, or kNotThere.
  size_t RawEnd(const Begin& begin) const {
    size_t at = SkipSpace(begin.after);
    if (!Has(at, "raw")) return kNotThere;
    at = SkipSpace(at + 3);
    if (Has(at, "-%}")) return SkipSpace(at + 3);
    return Has(at, "%}") ? at + 2 : kNotThere;
  }

  Status Data() {
    const Begin begin = FindBegin(at_);
    if (begin.at == kNotThere) {
      AddText(source_.substr(at_));
      at_ = source_.size();
      return {};
    }
    AddText(TrimBefore(source_.substr(at_, begin.at - at_), begin));
    at_ = begin.after;
    if (begin.mark == '#') return Comment(begin);
    if (begin.mark == '%') {
      if (const size_t raw = RawEnd(begin); raw != kNotThere) return Raw(begin, raw);
    }
    const bool block = begin.mark == '%';
    Add(block ? TokenKind::kBlockBegin : TokenKind::kVariableBegin, source_.substr(begin.at, 2));
    return Code(block);
  }

  Status Comment(const Begin& begin) {
    for (size_t at = begin.after; at < source_.size(); ++at) {
      at = source_.find('#', at);
      if (at == kNotThere) break;
      // The sign belongs to the end; one character back is still inside the comment.
      const size_t from = at > begin.after && (source_[at - 1] == '-' || source_[at - 1] == '+') ? at - 1 : at;
      const size_t after = CloseAt(from, "#}", true);
      if (after == kNotThere) continue;
      LeaveTag(after);
      return {};
    }
    return ErrorAt(begin.at, "missing end of comment tag");
  }

  Status Raw(const Begin& begin, size_t body) {
    line_starting_ = source_[body - 1] == '\n';
    for (size_t at = body;;) {
      const Begin end = FindBegin(at);
      if (end.at == kNotThere) return ErrorAt(begin.at, "missing end of raw directive");
      at = end.at + 1;
      if (end.mark != '%') continue;
      const size_t word = SkipSpace(end.after);
      if (!Has(word, "endraw")) continue;
      const size_t after = CloseAt(SkipSpace(word + 6), "%}", true);
      if (after == kNotThere) continue;
      AddText(TrimBefore(source_.substr(body, end.at - body), end));
      LeaveTag(after);
      return {};
    }
  }

  // The inside of {% %} or {{ }}, up to and with its end.
  Status Code(bool block) {
    std::vector<char> brackets;
    while (true) {
      if (brackets.empty()) {
        const size_t after = CloseAt(at_, block ? "%}" : "}}", block);
        if (after != kNotThere) {
          Add(block ? TokenKind::kBlockEnd : TokenKind::kVariableEnd, source_.substr(at_, after - at_));
          LeaveTag(after);
          return {};
        }
      }
      at_ = SkipSpace(at_);
      if (at_ >= source_.size()) return ErrorAt(at_, "unexpected end of template inside a tag");
      if (brackets.empty() && CloseAt(at_, block ? "%}" : "}}", block) != kNotThere) continue;
      RF_RETURN_IF_ERROR(CodeToken(brackets));
    }
  }

  Status CodeToken(std::vector<char>& brackets) {
    const char c = source_[at_];
    if (IsAsciiDigit(c)) {
      Number();
    } else if (StartsName(c)) {
      size_t end = at_ + 1;
      while (end < source_.size() && (StartsName(source_[end]) || IsAsciiDigit(source_[end]))) ++end;
      Take(TokenKind::kName, end - at_);
    } else if (c == '\'' || c == '"') {
      return StringToken(c);
    } else {
      return Operator(brackets);
    }
    return {};
  }

  void Take(TokenKind kind, size_t size) {
    Add(kind, source_.substr(at_, size));
    at_ += size;
  }

  // Digits with single underscores between them.
  template <typename P>
  size_t Digits(size_t at, P is_digit) const {
    while (at < source_.size()) {
      if (is_digit(source_[at])) {
        ++at;
      } else if (source_[at] == '_' && at + 1 < source_.size() && is_digit(source_[at + 1])) {
        at += 2;
      } else {
        break;
      }
    }
    return at;
  }

  void Number() {
    const char base = source_[at_] == '0' && at_ + 1 < source_.size() ? static_cast<char>(source_[at_ + 1] | 0x20) : 0;
    if (base == 'x' || base == 'o' || base == 'b') {
      const size_t end = Digits(at_ + 2, [base](char c) {
        if (base == 'x') return IsAsciiDigit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
        return c >= '0' && c <= (base == 'o' ? '7' : '1');
      });
      if (end > at_ + 2) return Take(TokenKind::kInteger, end - at_);
    }
    size_t end = Digits(at_, IsAsciiDigit);
    // After a dot digits are an index: a.0.1
    const bool is_index = at_ > 0 && source_[at_ - 1] == '.';
    bool is_float = false;
    if (!is_index) {
      if (end + 1 < source_.size() && source_[end] == '.' && IsAsciiDigit(source_[end + 1])) {
        end = Digits(end + 1, IsAsciiDigit);
        is_float = true;
      }
      size_t e = end;
      if (e < source_.size() && (source_[e] | 0x20) == 'e') {
        ++e;
        if (e < source_.size() && (source_[e] == '+' || source_[e] == '-')) ++e;
        if (e < source_.size() && IsAsciiDigit(source_[e])) {
          end = Digits(e, IsAsciiDigit);
          is_float = true;
        }
      }
    }
    Take(is_float ? TokenKind::kFloat : TokenKind::kInteger, end - at_);
  }

  Status StringToken(char quote) {
    for (size_t end = at_ + 1; end < source_.size(); ++end) {
      if (source_[end] == '\\') {
        ++end;
      } else if (source_[end] == quote) {
        Take(TokenKind::kString, end + 1 - at_);
        return {};
      }
    }
    return ErrorAt(at_, "a string is not closed");
  }

  Status Operator(std::vector<char>& brackets) {
    constexpr std::array<std::string_view, 6> kTwo = {"==", "!=", ">=", "<=", "**", "//"};
    for (std::string_view op : kTwo) {
      if (!Has(at_, op)) continue;
      Take(TokenKind::kOperator, 2);
      return {};
    }
    const char c = source_[at_];
    if (std::string_view("+-/*%~[](){}><=.:|,;").find(c) == kNotThere) {
      return ErrorAt(at_, fmt::format("unexpected character '{}'", EscapeForMessage(source_.substr(at_, 1), 8)));
    }
    if (c == '(' || c == '[' || c == '{') brackets.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
    if (brackets.size() > static_cast<size_t>(max_depth_)) {
      return NestingError(PositionAt(source_, at_), max_depth_);
    }
    if (c == ')' || c == ']' || c == '}') {
      if (brackets.empty()) return ErrorAt(at_, fmt::format("unexpected '{}'", c));
      if (brackets.back() != c) return ErrorAt(at_, fmt::format("unexpected '{}', expected '{}'", c, brackets.back()));
      brackets.pop_back();
    }
    Take(TokenKind::kOperator, 1);
    return {};
  }

  std::string_view source_;
  int max_depth_;
  size_t at_ = 0;
  bool line_starting_ = true;
  std::vector<Token> tokens_;
  size_t counted_ = 0;
  uint32_t line_ = 1;
  size_t line_start_ = 0;
};

}  // namespace

Result<std::vector<Token>> Tokenize(std::string_view source, int max_depth) {
  return Lexer(source, max_depth).Run();
}

}  // namespace rf::jinja
