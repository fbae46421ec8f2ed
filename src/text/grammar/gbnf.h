// GBNF, the grammar notation of llama.cpp.
#pragma once

#include <string_view>

#include "base/result.h"
#include "text/grammar/expr.h"

namespace rf::grammar {

/// Rules `name ::= …` of literals, character classes, '.', rule names, groups, '|', '*', '+', '?', {m}, {m,}, {m,n} and
/// '#' comments; the text is what `root` matches. A rule ends at the end of its line, unless a group is open, or the
/// line ends or the next one begins with '|'. Errors: kInvalidArgument, `where` is the line and column; kUnsupported
/// for references to tokens (<…>).
Result<Grammar> ParseGbnf(std::string_view source);

}  // namespace rf::grammar
