// Strings, numbers and what may be anything.
#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"
#include "text/grammar/limits.h"
#include "text/grammar/number_range.h"
#include "text/grammar/regex.h"
#include "text/grammar/schema_compiler.h"

namespace rf::grammar {
namespace {

constexpr uint32_t kIntegerDigits = 15;  // what a double holds exactly
constexpr uint32_t kFractionDigits = 16;
constexpr uint32_t kMaxIndent = 40;
constexpr uint32_t kMaxTabs = 10;

}  // namespace

// Nothing, one space, or a line feed with an indentation: what serializers write. Unbounded white space would invite
// small models to write nothing else.
ExprId SchemaCompiler::Space() {
  const auto [found, is_new] = shared_exprs_.emplace("space", kNoExpr);
  if (!is_new) return found->second;
  const ExprId indent = grammar_.Alt(
      {grammar_.Repeat(grammar_.Literal(" "), 0, kMaxIndent), grammar_.Repeat(grammar_.Literal("\t"), 1, kMaxTabs)});
  const ExprId body =
      grammar_.Alt({grammar_.Empty(), grammar_.Literal(" "), grammar_.Seq({grammar_.Literal("\n"), indent})});
  auto machine = machines_.BuildRegular(body);
  const RuleId rule =
      grammar_.AddRule("space", machine ? grammar_.Machine(std::make_shared<Dfa>(std::move(*machine))) : body);
  found->second = grammar_.Call(rule);
  return found->second;
}

// A character of a string, in every spelling that JSON has. Surrogates come in pairs.
ExprId SchemaCompiler::StringUnit() {
  const auto [found, is_new] = shared_exprs_.emplace("unit", kNoExpr);
  if (!is_new) return found->second;
  Grammar& g = grammar_;
  const auto chars = [&](std::initializer_list<CodePointRange> ranges) { return g.Chars(ranges); };
  const ExprId hex = chars({{'0', '9'}, {'A', 'F'}, {'a', 'f'}});
  const ExprId lead = g.Seq({chars({{'D', 'D'}, {'d', 'd'}}), chars({{'8', '9'}, {'A', 'B'}, {'a', 'b'}}), hex, hex});
  const ExprId trail = g.Seq({chars({{'D', 'D'}, {'d', 'd'}}), chars({{'C', 'F'}, {'c', 'f'}}), hex, hex});
  const ExprId plain =
      g.Alt({g.Seq({chars({{'0', '9'}, {'A', 'C'}, {'E', 'F'}, {'a', 'c'}, {'e', 'f'}}), hex, hex, hex}),
             g.Seq({chars({{'D', 'D'}, {'d', 'd'}}), chars({{'0', '7'}}), hex, hex})});
  found->second = g.Alt(
      {g.Chars(CodePointSet{{0, 0x1F}, {'"', '"'}, {'\\', '\\'}}.Complement()),
       g.Seq(
           {g.Literal("\\"),
            chars({{'"', '"'}, {'/', '/'}, {'\\', '\\'}, {'b', 'b'}, {'f', 'f'}, {'n', 'n'}, {'r', 'r'}, {'t', 't'}})}),
       g.Seq({g.Literal("\\u"), plain}), g.Seq({g.Literal("\\u"), lead, g.Literal("\\u"), trail})});
  return found->second;
}

RuleId SchemaCompiler::StringRule() {
  const auto [found, is_new] = shared_rules_.emplace("string", 0);
  if (!is_new) return found->second;
  const ExprId quote = grammar_.Literal("\"");
  found->second = grammar_.AddRule("string", grammar_.Seq({quote, grammar_.Star(StringUnit()), quote}));
  grammar_.rules[found->second].is_shared = true;
  return found->second;
}

ExprId SchemaCompiler::NumberForm(bool is_integer, bool has_exponent, uint32_t n_digits) {
  Grammar& g = grammar_;
  const ExprId digit = g.Chars({{'0', '9'}});
  const ExprId integer =
      g.Seq({g.Optional(g.Literal("-")),
             g.Alt({g.Literal("0"), g.Seq({g.Chars({{'1', '9'}}), g.Repeat(digit, 0, n_digits - 1)})})});
  if (is_integer) return integer;
  const uint32_t n_fraction = std::max(kFractionDigits, n_digits);
  const ExprId fraction = g.Optional(g.Seq({g.Literal("."), g.Repeat(digit, 1, n_fraction)}));
  if (!has_exponent) return g.Seq({integer, fraction});
  const ExprId sign = g.Optional(g.Chars({{'+', '+'}, {'-', '-'}}));
  return g.Seq(
      {integer, fraction, g.Optional(g.Seq({g.Chars({{'E', 'E'}, {'e', 'e'}}), sign, g.Repeat(digit, 1, 2)}))});
}

RuleId SchemaCompiler::AnyNumberRule(bool is_integer) {
  const auto [found, is_new] = shared_rules_.emplace(is_integer ? "integer" : "number", 0);
  if (is_new) {
    const ExprId form = NumberForm(is_integer, true, kIntegerDigits);
    found->second = grammar_.AddRule(found->first, form);
    // As states, not counted: the rules are small.
    if (auto machine = machines_.BuildRegular(form)) {
      grammar_.rules[found->second].body = grammar_.Machine(std::make_shared<Dfa>(std::move(*machine)));
    }
    grammar_.rules[found->second].is_shared = true;
  }
  return found->second;
}

Result<Dfa> SchemaCompiler::NumberMachine(const Shape& shape) {
  const bool is_integer = (shape.types & kNumber) == 0;
  struct Limit {
    Decimal value;
    bool is_minimum;
    const NumberBound* bound;
  };
  std::vector<Limit> limits;
  size_t n_digits = kIntegerDigits;
  for (const auto* list : {&shape.minima, &shape.maxima}) {
    for (const NumberBound& bound : *list) {
      // Beyond all numbers that are written here, in the harmless direction.
      const double value = bound.value->get<double>();
      if (list == &shape.minima ? value < -1e30 : value > 1e30) continue;
      RF_ASSIGN_OR_RETURN(Decimal decimal, At(bound.path, ParseDecimal(bound.value->dump())));
      n_digits = std::max({n_digits, decimal.integer.size() + 1, decimal.fraction.size() + 1});
      limits.push_back({std::move(decimal), list == &shape.minima, &bound});
    }
  }
  RF_ASSIGN_OR_RETURN(
      Dfa machine,
      At(shape.path, machines_.BuildRegular(NumberForm(is_integer, false, static_cast<uint32_t>(n_digits)))));
  for (const auto& [decimal, is_minimum, bound] : limits) {
    const ExprId expr =
        is_minimum ? AtLeast(decimal, bound->is_exclusive, grammar_) : AtMost(decimal, bound->is_exclusive, grammar_);
    RF_ASSIGN_OR_RETURN(const Dfa limit, At(bound->path, machines_.BuildRegular(expr)));
    RF_ASSIGN_OR_RETURN(machine, At(bound->path, Intersect(machine, limit, budget_)));
  }
  for (const PlacedText& multiple : shape.multiples) {
    RF_ASSIGN_OR_RETURN(const Decimal divisor, At(multiple.path, ParseDecimal(multiple.text)));
    RF_ASSIGN_OR_RETURN(const Dfa multiples, At(multiple.path, MultiplesOf(divisor, budget_)));
    RF_ASSIGN_OR_RETURN(machine, At(multiple.path, Intersect(machine, multiples, budget_)));
  }
  return machine;
}

Result<ExprId> SchemaCompiler::Number(const Shape& shape) {
  if (!shape.HasNumberKeywords()) return grammar_.Call(AnyNumberRule((shape.types & kNumber) == 0));
  RF_ASSIGN_OR_RETURN(Dfa machine, NumberMachine(shape));
  return grammar_.Machine(std::make_shared<Dfa>(std::move(machine)));
}

Result<Dfa> SchemaCompiler::StringMachine(const Shape& shape) {
  const ExprId unit = CharsIn(RegexStyle::kJsonString, CodePointSet::All(), grammar_);
  RF_ASSIGN_OR_RETURN(Dfa machine, machines_.BuildRegular(grammar_.Star(unit)));
  const auto restrict = [&](std::string_view pattern, const std::string& path) -> Status {
    RF_ASSIGN_OR_RETURN(const ExprId expr, Inside(path, ParseRegex(pattern, RegexStyle::kJsonString, grammar_)));
    RF_ASSIGN_OR_RETURN(const Dfa matches, At(path, machines_.BuildRegular(expr)));
    RF_ASSIGN_OR_RETURN(machine, At(path, Intersect(machine, matches, budget_)));
    return {};
  };
  for (const PlacedText& pattern : shape.patterns) RF_RETURN_IF_ERROR(restrict(pattern.text, pattern.path));
  for (const PlacedText& format : shape.formats) {
    const char* pattern = FormatPattern(format.text);
    if (pattern == nullptr) {
      return Error{ErrorCode::kUnsupported,
                   fmt::format("the format '{}' cannot be enforced", EscapeForMessage(format.text, 40)), format.path};
    }
    RF_RETURN_IF_ERROR(restrict(pattern, format.path));
  }
  if (shape.min_length > 0 || shape.max_length != kNoMaximum) {
    const uint32_t max = shape.max_length == kNoMaximum ? kUnbounded : static_cast<uint32_t>(shape.max_length);
    if (max < shape.min_length) return machines_.BuildRegular(grammar_.Never());
    const ExprId counted = grammar_.Repeat(unit, static_cast<uint32_t>(shape.min_length), max);
    RF_ASSIGN_OR_RETURN(const Dfa lengths, At(shape.path, machines_.BuildRegular(counted)));
    RF_ASSIGN_OR_RETURN(machine, At(shape.path, Intersect(machine, lengths, budget_)));
  }
  return machine;
}

Result<ExprId> SchemaCompiler::String(const Shape& shape) {
  if (!shape.HasStringKeywords()) return grammar_.Call(StringRule());
  const ExprId quote = grammar_.Literal("\"");
  if (shape.patterns.empty() && shape.formats.empty()) {
    const uint32_t max = shape.max_length == kNoMaximum ? kUnbounded : static_cast<uint32_t>(shape.max_length);
    if (max < shape.min_length) return grammar_.Never();
    return grammar_.Seq({quote, grammar_.Repeat(StringUnit(), static_cast<uint32_t>(shape.min_length), max), quote});
  }
  const bool has_lengths = shape.min_length > 0 || shape.max_length != kNoMaximum;
  if (shape.patterns.size() + shape.formats.size() == 1 && !has_lengths) {
    // Nothing to intersect: as an expression, its long repetitions are counted.
    const PlacedText& only = shape.patterns.empty() ? shape.formats[0] : shape.patterns[0];
    const char* format = shape.patterns.empty() ? FormatPattern(only.text) : nullptr;
    if (format != nullptr || shape.formats.empty()) {
      const std::string_view pattern = format != nullptr ? std::string_view(format) : only.text;
      RF_ASSIGN_OR_RETURN(const ExprId expr, Inside(only.path, ParseRegex(pattern, RegexStyle::kJsonString, grammar_)));
      return grammar_.Seq({quote, expr, quote});
    }
  }
  RF_ASSIGN_OR_RETURN(Dfa machine, StringMachine(shape));
  return grammar_.Seq({quote, grammar_.Machine(std::make_shared<Dfa>(std::move(machine))), quote});
}

RuleId SchemaCompiler::AnyValueRule() {
  const auto [found, is_new] = shared_rules_.emplace("value", 0);
  if (!is_new) return found->second;
  const RuleId rule = grammar_.AddRule("value");
  found->second = rule;
  const ExprId words = grammar_.Alt({grammar_.Literal("true"), grammar_.Literal("false"), grammar_.Literal("null")});
  const ExprId body = grammar_.Alt({words, grammar_.Call(AnyNumberRule(false)), grammar_.Call(StringRule()),
                                    grammar_.Call(AnyArrayRule()), grammar_.Call(AnyObjectRule())});
  grammar_.rules[rule].body = body;
  return rule;
}

RuleId SchemaCompiler::AnyArrayRule() {
  const auto [found, is_new] = shared_rules_.emplace("array", 0);
  if (!is_new) return found->second;
  const RuleId rule = grammar_.AddRule("array");
  found->second = rule;
  const ExprId item = grammar_.Call(AnyValueRule());
  const ExprId more = grammar_.Star(grammar_.Seq({grammar_.Literal(","), Space(), item}));
  grammar_.rules[rule].body = grammar_.Seq(
      {grammar_.Literal("["), Space(), grammar_.Optional(grammar_.Seq({item, more, Space()})), grammar_.Literal("]")});
  return rule;
}

RuleId SchemaCompiler::AnyObjectRule() {
  const auto [found, is_new] = shared_rules_.emplace("object", 0);
  if (!is_new) return found->second;
  const RuleId rule = grammar_.AddRule("object");
  found->second = rule;
  const ExprId pair = grammar_.Seq({grammar_.Call(StringRule()), grammar_.Literal(":"),
                                    grammar_.Optional(grammar_.Literal(" ")), grammar_.Call(AnyValueRule())});
  const ExprId more = grammar_.Star(grammar_.Seq({grammar_.Literal(","), Space(), pair}));
  grammar_.rules[rule].body = grammar_.Seq(
      {grammar_.Literal("{"), Space(), grammar_.Optional(grammar_.Seq({pair, more, Space()})), grammar_.Literal("}")});
  return rule;
}

}  // namespace rf::grammar
