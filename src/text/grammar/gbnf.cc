#include "text/grammar/gbnf.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/utf8.h"
#include "text/grammar/limits.h"
#include "text/grammar/regex_class.h"

namespace rf::grammar {
namespace {

constexpr size_t kMaxShownName = 60;

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

class GbnfParser {
 public:
  explicit GbnfParser(std::string_view source) : cursor_{source} {}

  Result<Grammar> Run() {
    if (cursor_.text.size() > kMaxSourceBytes) {
      return Bad(fmt::format("the grammar has {} bytes, at most {} are allowed", cursor_.text.size(), kMaxSourceBytes));
    }
    if (const size_t valid = ValidUtf8Prefix(cursor_.text); valid != cursor_.text.size()) {
      cursor_.at = valid;
      return Bad("invalid UTF-8");
    }
    for (SkipSpace(true); !cursor_.AtEnd(); SkipSpace(true)) RF_RETURN_IF_ERROR(ParseRule());
    for (const auto& [name, rule] : names_) {
      if (grammar_.rules[rule].body != kNoExpr) continue;
      cursor_.at = first_use_[rule];
      return Bad(fmt::format("rule '{}' is used but not defined", EscapeForMessage(name, kMaxShownName)));
    }
    const auto root = names_.find("root");
    if (root == names_.end()) return Error{ErrorCode::kInvalidArgument, "the grammar has no rule 'root'", ""};
    grammar_.root = root->second;
    return std::move(grammar_);
  }

 private:
  struct Frame {
    std::vector<ExprId> alternatives;
    std::vector<ExprId> sequence;
    size_t opened_at;
  };

  Error Bad(std::string message, ErrorCode code = ErrorCode::kInvalidArgument) const {
    size_t line = 1;
    size_t column = 1;
    for (const char c : cursor_.text.substr(0, cursor_.at)) {
      column = c == '\n' ? 1 : column + ((static_cast<uint8_t>(c) & 0xC0) != 0x80);
      line += c == '\n';
    }
    return {code, std::move(message), fmt::format("line {}, column {}", line, column)};
  }

  // An error of what lies between quotes or brackets, with the line.
  Error Located(Error error) const { return Bad(std::move(error.message), error.code); }

  void SkipSpace(bool across_lines) {
    for (; !cursor_.AtEnd(); ++cursor_.at) {
      const char c = cursor_.Peek();
      if (c == '#') {
        while (!cursor_.AtEnd() && cursor_.Peek() != '\n' && cursor_.Peek() != '\r') ++cursor_.at;
        if (cursor_.AtEnd()) return;
        --cursor_.at;
      } else if (c != ' ' && c != '\t' && !(across_lines && (c == '\n' || c == '\r'))) {
        return;
      }
    }
  }

  std::string_view TakeName() {
    const size_t begin = cursor_.at;
    while (IsNameCharacter(cursor_.Peek())) ++cursor_.at;
    return cursor_.text.substr(begin, cursor_.at - begin);
  }

  Result<RuleId> RuleNamed(std::string_view name, size_t at) {
    const auto found = names_.find(name);
    if (found != names_.end()) return found->second;
    if (names_.size() == kMaxRules) return Bad(fmt::format("more than {} rules", kMaxRules));
    const RuleId rule = grammar_.AddRule(std::string(name));
    names_.emplace(name, rule);
    first_use_.push_back(at);
    return rule;
  }

  Status ParseRule() {
    const size_t begin = cursor_.at;
    const std::string_view name = TakeName();
    if (name.empty()) return Bad("expected a rule: name ::= …");
    RF_ASSIGN_OR_RETURN(const RuleId rule, RuleNamed(name, begin));
    if (grammar_.rules[rule].body != kNoExpr) {
      cursor_.at = begin;
      return Bad(fmt::format("rule '{}' is defined twice", EscapeForMessage(name, kMaxShownName)));
    }
    SkipSpace(false);
    if (!cursor_.Take("::=")) return Bad("expected '::=' after the rule's name");
    SkipSpace(true);
    RF_ASSIGN_OR_RETURN(grammar_.rules[rule].body, ParseBody());
    return {};
  }

  Result<ExprId> ParseBody() {
    frames_.clear();
    frames_.push_back({{}, {}, cursor_.at});
    for (;;) {
      SkipSpace(frames_.size() > 1);
      const char c = cursor_.Peek();
      if (cursor_.AtEnd() || c == '\n' || c == '\r') {
        if (frames_.size() > 1) {
          cursor_.at = frames_.back().opened_at;
          return Bad("a group is not closed: ')' is missing");
        }
        const size_t line_end = cursor_.at;
        SkipSpace(true);
        if (cursor_.Peek() == '|') continue;
        cursor_.at = line_end;
        return Close(frames_.back());
      }
      RF_RETURN_IF_ERROR(ParseItem(c));
    }
  }

  Status ParseItem(char c) {
    Frame& frame = frames_.back();
    switch (c) {
      case '|':
        ++cursor_.at;
        frame.alternatives.push_back(grammar_.Seq(std::move(frame.sequence)));
        frame.sequence.clear();
        SkipSpace(true);
        return {};
      case '(':
        if (frames_.size() > kMaxNesting) return Bad(fmt::format("nested too deeply: depth > {}", kMaxNesting));
        frames_.push_back({{}, {}, cursor_.at++});
        return {};
      case ')': {
        if (frames_.size() == 1) return Bad("')' without '('");
        ++cursor_.at;
        const ExprId group = Close(frame);
        frames_.pop_back();
        frames_.back().sequence.push_back(group);
        return {};
      }
      case '*':
      case '+':
      case '?':
      case '{': return ParseRepetition(c);
      default: break;
    }
    RF_ASSIGN_OR_RETURN(const ExprId atom, ParseAtom(c));
    frames_.back().sequence.push_back(atom);
    return {};
  }

  ExprId Close(Frame& frame) {
    frame.alternatives.push_back(grammar_.Seq(std::move(frame.sequence)));
    return grammar_.Alt(std::move(frame.alternatives));
  }

  Result<ExprId> ParseAtom(char c) {
    if (c == '"') return ParseLiteral();
    if (cursor_.Take(".")) return grammar_.Chars(CodePointSet::All());
    if (cursor_.Take("[")) {
      auto set = ParseClass(cursor_);
      if (!set) return Located(std::move(set).error());
      return grammar_.Chars(std::move(*set));
    }
    if (c == '<' || c == '!') return Bad("references to tokens are not supported", ErrorCode::kUnsupported);
    const size_t begin = cursor_.at;
    const std::string_view name = TakeName();
    if (name.empty()) {
      return Bad(fmt::format("unexpected '{}'", EscapeForMessage(cursor_.text.substr(cursor_.at, 1), 8)));
    }
    RF_ASSIGN_OR_RETURN(const RuleId rule, RuleNamed(name, begin));
    return grammar_.Call(rule);
  }

  Result<ExprId> ParseLiteral() {
    const size_t begin = cursor_.at++;
    std::string bytes;
    while (cursor_.Peek() != '"') {
      if (cursor_.AtEnd() || cursor_.Peek() == '\n') {
        cursor_.at = begin;
        return Bad("a literal is not closed: '\"' is missing");
      }
      if (!cursor_.Take("\\")) {
        bytes.push_back(cursor_.text[cursor_.at++]);
        continue;
      }
      auto escape = ParseEscape(cursor_, true);
      if (!escape) return Located(std::move(escape).error());
      if (!escape->code_point) return Bad("a class such as \\d cannot be part of a literal");
      AppendUtf8(bytes, *escape->code_point);
    }
    ++cursor_.at;
    return grammar_.Literal(bytes);
  }

  Result<uint32_t> TakeBound() {
    uint64_t value = 0;
    if (cursor_.Peek() < '0' || cursor_.Peek() > '9') return Bad("expected a number in {…}");
    for (; cursor_.Peek() >= '0' && cursor_.Peek() <= '9'; ++cursor_.at) {
      value = value * 10 + static_cast<uint64_t>(cursor_.Peek() - '0');
      if (value > kMaxCounted) return Bad(fmt::format("a repetition bound is over {}", kMaxCounted));
    }
    return static_cast<uint32_t>(value);
  }

  Status ParseRepetition(char kind) {
    auto& sequence = frames_.back().sequence;
    if (sequence.empty()) return Bad(fmt::format("nothing to repeat before '{}'", kind));
    ++cursor_.at;
    uint32_t min = kind == '+' ? 1 : 0;
    uint32_t max = kind == '?' ? 1 : kUnbounded;
    if (kind == '{') {
      SkipSpace(true);
      if (cursor_.Peek() != ',') {
        RF_ASSIGN_OR_RETURN(min, TakeBound());
      }
      max = min;
      SkipSpace(true);
      if (cursor_.Take(",")) {
        SkipSpace(true);
        max = kUnbounded;
        if (cursor_.Peek() != '}') {
          RF_ASSIGN_OR_RETURN(max, TakeBound());
        }
      }
      SkipSpace(true);
      if (!cursor_.Take("}")) return Bad("expected '}'");
      if (max < min) return Bad(fmt::format("bad repetition bounds {{{},{}}}", min, max));
      const uint32_t larger = max == kUnbounded ? min : max;
      if (larger > kMaxRepetition && grammar_.expr(sequence.back()).kind != ExprKind::kChars) {
        return Bad(fmt::format("a repetition bound is over {}", kMaxRepetition));
      }
    }
    sequence.back() = grammar_.Repeat(sequence.back(), min, max);
    return {};
  }

  PatternCursor cursor_;
  Grammar grammar_;
  std::map<std::string, RuleId, std::less<>> names_;
  std::vector<size_t> first_use_;  // by rule
  std::vector<Frame> frames_;
};

}  // namespace

Result<Grammar> ParseGbnf(std::string_view source) {
  return GbnfParser(source).Run();
}

}  // namespace rf::grammar
