#include "text/grammar/regex.h"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/utf8.h"
#include "text/grammar/limits.h"
#include "text/grammar/regex_class.h"

namespace rf::grammar {
namespace {

// A part of a sequence, or an alternative. `begins`: it can only match at the beginning of the text.
struct Item {
  ExprId expr;
  bool begins = false;
  bool ends = false;
  bool is_anchor = false;
  bool is_look_behind = false;
};

struct Frame {
  std::vector<Item> alternatives;
  std::vector<Item> sequence;
  size_t opened_at = 0;
  bool is_look_around = false;
  bool is_look_behind = false;
};

class RegexParser {
 public:
  RegexParser(std::string_view pattern, RegexStyle style, Grammar& grammar)
      : cursor_{pattern}, style_(style), grammar_(grammar) {}

  Result<ExprId> Run() {
    if (const size_t valid = ValidUtf8Prefix(cursor_.text); valid != cursor_.text.size()) {
      cursor_.at = valid;
      return cursor_.Bad("invalid UTF-8");
    }
    frames_.emplace_back();
    while (!cursor_.AtEnd()) RF_RETURN_IF_ERROR(Next());
    if (frames_.size() > 1) {
      cursor_.at = frames_.back().opened_at;
      return cursor_.Bad("a group is not closed: ')' is missing");
    }
    RF_ASSIGN_OR_RETURN(const Item whole, CloseFrame(frames_.back(), style_ == RegexStyle::kJsonString));
    if (unsupported_) return *unsupported_;
    return whole.expr;
  }

 private:
  Status Next() {
    Frame& frame = frames_.back();
    const char c = cursor_.Peek();
    switch (c) {
      case '(': return OpenGroup();
      case ')': return CloseGroup();
      case '|': ++cursor_.at; return CloseAlternative(frame);
      case '^':
      case '$':
        ++cursor_.at;
        frame.sequence.push_back({grammar_.Empty(), c == '^', c == '$', true});
        return {};
      case '*':
      case '+':
      case '?': return Quantify();
      case '{': {
        RF_ASSIGN_OR_RETURN(const bool is_quantifier, IsBraceQuantifier());
        if (is_quantifier) return Quantify();
        break;
      }
      default: break;
    }
    RF_ASSIGN_OR_RETURN(const CodePointSet set, TakeAtom());
    frames_.back().sequence.push_back({CharsIn(style_, set, grammar_)});
    return {};
  }

  Result<CodePointSet> TakeAtom() {
    if (cursor_.Take("[")) return ParseClass(cursor_);
    if (cursor_.Take(".")) {
      static const CodePointSet no_line_feed = CodePointSet{{'\n', '\n'}}.Complement();
      static const CodePointSet no_line_end = CodePointSet{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}.Complement();
      return style_ == RegexStyle::kText ? no_line_feed : no_line_end;
    }
    if (cursor_.Take("\\")) {
      RF_ASSIGN_OR_RETURN(Escape escape, ParseEscape(cursor_, false));
      if (escape.code_point) escape.set = {{*escape.code_point, *escape.code_point}};
      return std::move(escape.set);
    }
    const char32_t code_point = cursor_.TakeCodePoint();
    return CodePointSet{{code_point, code_point}};
  }

  Status OpenGroup() {
    if (frames_.size() > kMaxNesting) return cursor_.Bad(fmt::format("nested too deeply: depth > {}", kMaxNesting));
    const size_t opened_at = cursor_.at++;
    const bool is_look_behind = cursor_.Take("?<=") || cursor_.Take("?<!");
    const bool is_look_around = is_look_behind || cursor_.Take("?=") || cursor_.Take("?!");
    if (is_look_around && !unsupported_) {
      // Read on: what is wrong behind it makes the pattern wrong, not only unsupported.
      unsupported_ =
          PatternCursor{cursor_.text, opened_at}.Bad("look-around is not supported", ErrorCode::kUnsupported);
    } else if (!is_look_around && cursor_.Take("?")) {
      if (cursor_.Take("P<") || cursor_.Take("<")) {
        while (!cursor_.AtEnd() && cursor_.Peek() != '>') ++cursor_.at;
        if (!cursor_.Take(">")) return cursor_.Bad("a group's name is not closed: '>' is missing");
      } else if (!cursor_.Take(":")) {
        return cursor_.Bad("flags of groups are not supported", ErrorCode::kUnsupported);
      }
    }
    frames_.emplace_back();
    frames_.back().opened_at = opened_at;
    frames_.back().is_look_around = is_look_around;
    frames_.back().is_look_behind = is_look_behind;
    return {};
  }

  Status CloseGroup() {
    if (frames_.size() == 1) return cursor_.Bad("')' without '('");
    ++cursor_.at;
    RF_ASSIGN_OR_RETURN(Item group, CloseFrame(frames_.back(), false));
    if (frames_.back().is_look_around) group = {grammar_.Empty()};
    group.is_look_behind = frames_.back().is_look_behind;
    frames_.pop_back();
    frames_.back().sequence.push_back(group);
    return {};
  }

  // Joins the sequence into an alternative.
  Status CloseAlternative(Frame& frame) {
    Item alternative{kNoExpr};
    std::vector<ExprId> parts;
    const size_t n = frame.sequence.size();
    size_t n_leading = 0;
    while (n_leading < n && frame.sequence[n_leading].is_anchor && frame.sequence[n_leading].begins) ++n_leading;
    size_t n_trailing = 0;
    while (n_trailing < n - n_leading && frame.sequence[n - 1 - n_trailing].is_anchor &&
           frame.sequence[n - 1 - n_trailing].ends) {
      ++n_trailing;
    }
    alternative.begins = n_leading > 0;
    alternative.ends = n_trailing > 0;
    for (size_t i = n_leading; i < n - n_trailing; ++i) {
      const Item& item = frame.sequence[i];
      const bool is_misplaced = (item.begins && i != n_leading) || (item.ends && i + 1 != n - n_trailing);
      if (item.is_anchor || is_misplaced) {
        return cursor_.Bad("'^' is supported at the beginning and '$' at the end only", ErrorCode::kUnsupported);
      }
      alternative.begins = alternative.begins || item.begins;
      alternative.ends = alternative.ends || item.ends;
      parts.push_back(item.expr);
    }
    alternative.expr = grammar_.Seq(std::move(parts));
    frame.alternatives.push_back(alternative);
    frame.sequence.clear();
    return {};
  }

  // Joins the alternatives. Where one of them is anchored, or all are to be found anywhere, the others get something
  // before and after them.
  Result<Item> CloseFrame(Frame& frame, bool is_search) {
    RF_RETURN_IF_ERROR(CloseAlternative(frame));
    Item group{kNoExpr, is_search, is_search};
    for (const Item& item : frame.alternatives) {
      group.begins = group.begins || item.begins;
      group.ends = group.ends || item.ends;
    }
    std::vector<ExprId> alternatives;
    for (const Item& item : frame.alternatives) {
      std::vector<ExprId> parts;
      if (group.begins && !item.begins) parts.push_back(Anything());
      parts.push_back(item.expr);
      if (group.ends && !item.ends) parts.push_back(Anything());
      alternatives.push_back(grammar_.Seq(std::move(parts)));
    }
    group.expr = grammar_.Alt(std::move(alternatives));
    return group;
  }

  ExprId Anything() {
    if (style_ == RegexStyle::kText) return grammar_.Empty();
    return grammar_.Star(CharsIn(style_, CodePointSet::All(), grammar_));
  }

  // {m}, {m,} or {m,n} at the cursor.
  Result<bool> IsBraceQuantifier() {
    size_t i = 1;
    const auto skip_digits = [&] {
      const size_t before = i;
      while (cursor_.Peek(i) >= '0' && cursor_.Peek(i) <= '9') ++i;
      return i > before;
    };
    const bool has_min = skip_digits();
    const bool has_comma = cursor_.Peek(i) == ',';
    if (has_comma) ++i;
    const bool has_max = has_comma && skip_digits();
    if (cursor_.Peek(i) != '}' || (!has_min && !has_max)) return false;
    if (!has_min) {
      return cursor_.Bad("write {0,n}: {,n} means different things to different programs", ErrorCode::kUnsupported);
    }
    return true;
  }

  Error OverLimit(uint32_t limit) const {
    return cursor_.Bad(fmt::format("a repetition bound is over {}", limit), ErrorCode::kUnsupported);
  }

  Result<uint32_t> TakeBound() {
    uint64_t value = 0;
    for (; cursor_.Peek() >= '0' && cursor_.Peek() <= '9'; ++cursor_.at) {
      value = value * 10 + static_cast<uint64_t>(cursor_.Peek() - '0');
      if (value > kMaxCounted) return OverLimit(kMaxCounted);
    }
    return static_cast<uint32_t>(value);
  }

  Status Quantify() {
    auto& sequence = frames_.back().sequence;
    if (sequence.empty() || sequence.back().is_anchor) return cursor_.Bad("nothing to repeat");
    if (sequence.back().is_look_behind) return cursor_.Bad("a look-behind cannot be repeated");
    if (sequence.back().begins || sequence.back().ends) {
      return cursor_.Bad("a group with '^' or '$' cannot be repeated", ErrorCode::kUnsupported);
    }
    const char kind = cursor_.text[cursor_.at++];
    uint32_t min = kind == '+' ? 1 : 0;
    uint32_t max = kind == '?' ? 1 : kUnbounded;
    if (kind == '{') {
      RF_ASSIGN_OR_RETURN(min, TakeBound());
      max = min;
      if (cursor_.Take(",")) {
        max = kUnbounded;
        if (cursor_.Peek() != '}') {
          RF_ASSIGN_OR_RETURN(max, TakeBound());
        }
      }
      cursor_.Take("}");
      if (max < min) return cursor_.Bad(fmt::format("bad repetition bounds {{{},{}}}", min, max));
      const uint32_t larger = max == kUnbounded ? min : max;
      const bool is_char = grammar_.expr(sequence.back().expr).kind == ExprKind::kChars;
      if (larger > kMaxRepetition && !is_char) return OverLimit(kMaxRepetition);
    }
    if (cursor_.Peek() == '*') return cursor_.Bad("multiple repeat");
    if (cursor_.Peek() == '+') {
      return cursor_.Bad("multiple repeat (possessive quantifiers are not supported)", ErrorCode::kUnsupported);
    }
    if (!cursor_.Take("?") && cursor_.Peek() == '{') {
      RF_ASSIGN_OR_RETURN(const bool is_multiple, IsBraceQuantifier());
      if (is_multiple) return cursor_.Bad("multiple repeat");
    }
    sequence.back() = {grammar_.Repeat(sequence.back().expr, min, max)};
    return {};
  }

  PatternCursor cursor_;
  RegexStyle style_;
  Grammar& grammar_;
  std::vector<Frame> frames_;
  std::optional<Error> unsupported_;  ///< the first thing that is right but cannot be done
};

// What must be escaped inside a JSON string, in the form that serializers choose.
ExprId JsonChars(const CodePointSet& chars, Grammar& grammar) {
  static const CodePointSet raw = CodePointSet{{0, 0x1F}, {'"', '"'}, {'\\', '\\'}}.Complement();
  const CodePointSet plain = chars.Intersection(raw);
  std::vector<ExprId> forms;
  if (!plain.empty()) forms.push_back(grammar.Chars(plain));
  for (const auto& [code_point, form] : {std::pair{'"', "\\\""},
                                         {'\\', "\\\\"},
                                         {'\b', "\\b"},
                                         {'\f', "\\f"},
                                         {'\n', "\\n"},
                                         {'\r', "\\r"},
                                         {'\t', "\\t"}}) {
    if (chars.Contains(static_cast<char32_t>(code_point))) forms.push_back(grammar.Literal(form));
  }
  for (char32_t c = 0; c < 0x20; ++c) {
    const bool has_short_form = c == '\b' || c == '\f' || c == '\n' || c == '\r' || c == '\t';
    if (!has_short_form && chars.Contains(c)) {
      forms.push_back(grammar.Literal(fmt::format("\\u{:04x}", static_cast<uint32_t>(c))));
    }
  }
  return grammar.Alt(std::move(forms));
}

}  // namespace

ExprId CharsIn(RegexStyle style, const CodePointSet& chars, Grammar& grammar) {
  return style == RegexStyle::kText ? grammar.Chars(chars) : JsonChars(chars, grammar);
}

Result<ExprId> ParseRegex(std::string_view pattern, RegexStyle style, Grammar& grammar) {
  if (pattern.size() > kMaxSourceBytes) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the pattern has {} bytes, at most {} are allowed", pattern.size(), kMaxSourceBytes), ""};
  }
  return RegexParser(pattern, style, grammar).Run();
}

}  // namespace rf::grammar
