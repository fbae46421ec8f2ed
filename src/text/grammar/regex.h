// Regular expressions as grammar expressions.
#pragma once

#include <string_view>

#include "base/result.h"
#include "text/grammar/expr.h"

namespace rf::grammar {

enum class RegexStyle {
  kText,        ///< the whole text must match; '.' is any code point but a line feed
  kJsonString,  ///< some part of a string must match (ECMA-262), as it is written inside a JSON string's quotes
};

/// Alternatives, groups, classes, \d \w \s (ASCII, Unicode white space), quantifiers, anchors at the ends. Lazy
/// quantifiers count as greedy ones: they match the same texts. Errors, `where` is the column: kInvalidArgument for bad
/// syntax and nesting over the limit; kUnsupported for what no finite automaton or not this one can do (back
/// references, look-around, \b, flags, \p, bounds over the limits) and for what dialects read differently.
Result<ExprId> ParseRegex(std::string_view pattern, RegexStyle style, Grammar& grammar);

/// One code point of the set, as the style writes it.
ExprId CharsIn(RegexStyle style, const CodePointSet& chars, Grammar& grammar);

}  // namespace rf::grammar
