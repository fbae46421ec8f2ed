#include "text/grammar/number_range.h"

#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace rf::grammar {
namespace {

constexpr size_t kMaxDigits = 40;
constexpr uint32_t kMaxRemainders = 5'000;

// Expressions over the digits of one number.
class DigitExpressions {
 public:
  explicit DigitExpressions(Grammar& grammar) : g_(grammar) {}

  ExprId Range(char first, char last) {
    if (first > last) return g_.Never();
    return g_.Chars({{static_cast<char32_t>(first), static_cast<char32_t>(last)}});
  }
  ExprId Digit() { return Range('0', '9'); }
  ExprId Digits() { return g_.Star(Digit()); }
  ExprId AnyFraction() { return g_.Optional(g_.Seq({g_.Literal("."), Digit(), Digits()})); }
  ExprId AnyMagnitude() { return g_.Seq({Digit(), Digits(), AnyFraction()}); }

  // Whole numbers without leading zeros above (below) `bound`.
  ExprId Above(const std::string& bound) {
    const auto n = static_cast<uint32_t>(bound.size());
    std::vector<ExprId> alternatives = {g_.Seq({Range('1', '9'), g_.Repeat(Digit(), n, n), Digits()})};
    for (uint32_t i = 0; i < n; ++i) {
      alternatives.push_back(g_.Seq({g_.Literal(bound.substr(0, i)), Range(static_cast<char>(bound[i] + 1), '9'),
                                     g_.Repeat(Digit(), n - 1 - i, n - 1 - i)}));
    }
    return g_.Alt(std::move(alternatives));
  }
  ExprId Below(const std::string& bound) {
    const auto n = static_cast<uint32_t>(bound.size());
    std::vector<ExprId> alternatives;
    if (n > 1) {
      alternatives.push_back(g_.Literal("0"));
      alternatives.push_back(g_.Seq({Range('1', '9'), g_.Repeat(Digit(), 0, n - 2)}));
    }
    for (uint32_t i = 0; i < n; ++i) {
      const char first = i == 0 && n > 1 ? '1' : '0';
      if (bound[i] == first) continue;
      alternatives.push_back(g_.Seq({g_.Literal(bound.substr(0, i)), Range(first, static_cast<char>(bound[i] - 1)),
                                     g_.Repeat(Digit(), n - 1 - i, n - 1 - i)}));
    }
    return g_.Alt(std::move(alternatives));
  }

  // Fractions, with the point, that are at least (at most) 0.bound; none counts as 0.
  ExprId FractionAtLeast(const std::string& bound, bool is_exclusive) {
    const ExprId more = g_.Seq({Digits(), Range('1', '9'), Digits()});
    if (bound.empty()) return is_exclusive ? g_.Seq({g_.Literal("."), more}) : AnyFraction();
    std::vector<ExprId> alternatives = {g_.Seq({g_.Literal(bound), is_exclusive ? more : Digits()})};
    for (size_t i = 0; i < bound.size(); ++i) {
      alternatives.push_back(
          g_.Seq({g_.Literal(bound.substr(0, i)), Range(static_cast<char>(bound[i] + 1), '9'), Digits()}));
    }
    return g_.Seq({g_.Literal("."), g_.Alt(std::move(alternatives))});
  }
  ExprId FractionAtMost(const std::string& bound, bool is_exclusive) {
    const ExprId zeros = g_.Star(g_.Literal("0"));
    if (bound.empty()) {
      return is_exclusive ? g_.Never() : g_.Optional(g_.Seq({g_.Literal("."), g_.Literal("0"), zeros}));
    }
    std::vector<ExprId> alternatives;
    if (!is_exclusive) alternatives.push_back(g_.Seq({g_.Literal(bound), zeros}));
    for (size_t i = 0; i < bound.size(); ++i) {
      if (i > 0) alternatives.push_back(g_.Literal(bound.substr(0, i)));  // shorter is smaller
      if (bound[i] == '0') continue;
      alternatives.push_back(
          g_.Seq({g_.Literal(bound.substr(0, i)), Range('0', static_cast<char>(bound[i] - 1)), Digits()}));
    }
    return g_.Optional(g_.Seq({g_.Literal("."), g_.Alt(std::move(alternatives))}));
  }

  ExprId MagnitudeAtLeast(const Decimal& bound, bool is_exclusive) {
    return g_.Alt({g_.Seq({Above(bound.integer), AnyFraction()}),
                   g_.Seq({g_.Literal(bound.integer), FractionAtLeast(bound.fraction, is_exclusive)})});
  }
  ExprId MagnitudeAtMost(const Decimal& bound, bool is_exclusive) {
    return g_.Alt({g_.Seq({Below(bound.integer), AnyFraction()}),
                   g_.Seq({g_.Literal(bound.integer), FractionAtMost(bound.fraction, is_exclusive)})});
  }
  ExprId Negative(ExprId magnitude) { return g_.Seq({g_.Literal("-"), magnitude}); }

 private:
  Grammar& g_;
};

}  // namespace

Result<Decimal> ParseDecimal(std::string_view text) {
  Decimal value;
  value.is_negative = !text.empty() && text[0] == '-';
  if (value.is_negative) text.remove_prefix(1);
  int exponent = 0;
  if (const size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    const size_t digits = e + 1 + (e + 1 < text.size() && text[e + 1] == '+' ? 1 : 0);
    std::from_chars(text.data() + digits, text.data() + text.size(), exponent);
    text = text.substr(0, e);
  }
  const size_t point = std::min(text.find('.'), text.size());
  std::string digits(text.substr(0, point));
  int n_integer = static_cast<int>(digits.size()) + exponent;
  if (point < text.size()) digits += text.substr(point + 1);
  if (n_integer > static_cast<int>(kMaxDigits) || n_integer < -static_cast<int>(kMaxDigits)) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("has more than {} digits", kMaxDigits), ""};
  }
  if (n_integer < 0) {
    std::string padded(static_cast<size_t>(-n_integer), '0');
    padded += digits;
    digits = std::move(padded);
  }
  n_integer = std::max(n_integer, 0);
  if (digits.size() < static_cast<size_t>(n_integer)) digits.resize(static_cast<size_t>(n_integer), '0');
  value.integer = digits.substr(0, static_cast<size_t>(n_integer));
  value.fraction = digits.substr(static_cast<size_t>(n_integer));
  value.integer.erase(0, std::min(value.integer.find_first_not_of('0'), value.integer.size()));
  if (value.integer.empty()) value.integer.push_back('0');
  while (!value.fraction.empty() && value.fraction.back() == '0') value.fraction.pop_back();
  if (value.is_zero()) value.is_negative = false;
  return value;
}

ExprId AtLeast(const Decimal& bound, bool is_exclusive, Grammar& grammar) {
  DigitExpressions digits(grammar);
  if (!bound.is_negative) return digits.MagnitudeAtLeast(bound, is_exclusive);
  return grammar.Alt({digits.AnyMagnitude(), digits.Negative(digits.MagnitudeAtMost(bound, is_exclusive))});
}

ExprId AtMost(const Decimal& bound, bool is_exclusive, Grammar& grammar) {
  DigitExpressions digits(grammar);
  if (bound.is_negative) return digits.Negative(digits.MagnitudeAtLeast(bound, is_exclusive));
  // "-0" is 0.
  const bool is_below_zero = bound.is_zero() && is_exclusive;
  const ExprId negative = is_below_zero ? digits.MagnitudeAtLeast(bound, true) : digits.AnyMagnitude();
  return grammar.Alt({digits.MagnitudeAtMost(bound, is_exclusive), digits.Negative(negative)});
}

// Reads the number times 10^places digit by digit, modulo the divisor times 10^places.
Result<Dfa> MultiplesOf(const Decimal& divisor, Budget& budget) {
  const auto places = static_cast<uint32_t>(divisor.fraction.size());
  std::string digits = divisor.integer;
  digits.append(divisor.fraction);
  uint32_t modulus = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), modulus);
  if (parsed.ec != std::errc() || modulus == 0 || modulus * uint64_t{places + 2} > kMaxRemainders) {
    return Error{ErrorCode::kUnsupported, "a multiple of so many digits cannot be enforced", ""};
  }
  Nfa nfa;
  const uint32_t start = nfa.AddState();
  const uint32_t unsigned_start = nfa.AddState();
  const uint32_t accept = nfa.AddState();
  nfa.AddEmpty(start, unsigned_start);
  nfa.AddBytes(start, '-', '-', unsigned_start);
  // Of the integer, behind the point, and behind each digit after it: a state for each remainder.
  const auto base = static_cast<uint32_t>(nfa.n_states());
  for (uint32_t i = 0; i < (places + 2) * modulus; ++i) nfa.AddState();
  const auto state = [&](uint32_t phase, uint32_t remainder) { return base + phase * modulus + remainder; };
  std::vector<uint32_t> power(places + 1, 1 % modulus);
  for (uint32_t i = 1; i <= places; ++i) power[i] = static_cast<uint32_t>(uint64_t{power[i - 1]} * 10 % modulus);
  const auto add_digits = [&](uint32_t from, uint32_t remainder, uint32_t phase) {
    for (uint32_t digit = 0; digit < 10; ++digit) {
      const auto byte = static_cast<uint8_t>('0' + digit);
      nfa.AddBytes(from, byte, byte, state(phase, (remainder * 10 + digit) % modulus));
    }
  };
  add_digits(unsigned_start, 0, 0);
  for (uint32_t remainder = 0; remainder < modulus; ++remainder) {
    add_digits(state(0, remainder), remainder, 0);
    nfa.AddBytes(state(0, remainder), '.', '.', state(1, remainder));
    for (uint32_t n = 0; n <= places; ++n) {  // digits after the point
      if (n < places) add_digits(state(n + 1, remainder), remainder, n + 2);
      if (uint64_t{remainder} * power[places - n] % modulus != 0) continue;
      if (n > 0) nfa.AddEmpty(state(n + 1, remainder), accept);
      if (n == 0) nfa.AddEmpty(state(0, remainder), accept);
    }
  }
  RF_ASSIGN_OR_RETURN(Dfa dfa, Determinize(nfa, start, accept, budget));
  Trim(dfa);
  return dfa;
}

}  // namespace rf::grammar
