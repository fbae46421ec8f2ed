// Characters and classes of regular expressions and GBNF.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "text/grammar/code_points.h"

namespace rf::grammar {

/// A place in a pattern. Errors have the column as `where`.
struct PatternCursor {
  std::string_view text;
  size_t at = 0;

  bool AtEnd() const { return at >= text.size(); }
  char Peek(size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }
  bool Take(std::string_view expected);
  /// The next code point. REQUIRES: !AtEnd() and valid UTF-8.
  char32_t TakeCodePoint();
  Error Bad(std::string message, ErrorCode code = ErrorCode::kInvalidArgument) const;
};

/// What an escape stands for: one code point, or a class such as \d.
struct Escape {
  std::optional<char32_t> code_point;
  CodePointSet set;
};

/// The escape whose backslash was just taken.
Result<Escape> ParseEscape(PatternCursor& cursor, bool in_class);

/// The class whose '[' was just taken.
Result<CodePointSet> ParseClass(PatternCursor& cursor);

}  // namespace rf::grammar
