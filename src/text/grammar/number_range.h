// JSON numbers with bounds and divisors as automata over their decimal digits.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "text/grammar/dfa.h"
#include "text/grammar/expr.h"

namespace rf::grammar {

/// A decimal number: (-) integer . fraction; no leading zeros, no trailing zeros in the fraction.
struct Decimal {
  bool is_negative = false;
  std::string integer = "0";
  std::string fraction;
  bool is_zero() const { return integer == "0" && fraction.empty(); }
};

/// The value of a JSON number's text, e.g. "-1.5e3". Errors: kInvalidArgument if it has more than 40 digits.
Result<Decimal> ParseDecimal(std::string_view text);

/// Texts of numbers without exponent that are at least (at most) the bound. Fractions are as long as you like.
ExprId AtLeast(const Decimal& bound, bool is_exclusive, Grammar& grammar);
ExprId AtMost(const Decimal& bound, bool is_exclusive, Grammar& grammar);

/// Texts of numbers without exponent that are multiples of `divisor`. Errors: kUnsupported if its digits are too large.
Result<Dfa> MultiplesOf(const Decimal& divisor, Budget& budget);

}  // namespace rf::grammar
