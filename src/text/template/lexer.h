// Source text of a template to tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/template/ast.h"

namespace rf::jinja {

enum class TokenKind : uint8_t {
  kText,
  kVariableBegin,
  kVariableEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kString,
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind;
  /// Of the source: text to print, name, digits, operator; a string with its quotes.
  std::string_view text;
  Position position;
};

/// Splits `source`, which must have normalized newlines and outlive the tokens. The last token is kEnd. White space
/// around tags is dropped as with trim_blocks and lstrip_blocks; comments and the marks of raw blocks leave no tokens.
/// Errors: unclosed comments, raw blocks and strings, characters that start no token, brackets that are unbalanced or
/// nested more than `max_depth` deep.
Result<std::vector<Token>> Tokenize(std::string_view source, int max_depth);

/// The error for nesting beyond `max_depth`.
Error NestingError(Position position, int max_depth);

/// Line and column (in bytes, from 1) of an offset.
Position PositionAt(std::string_view source, size_t offset);

/// An error at a place of the template.
Error SyntaxError(Position position, std::string message);

/// "template:LINE:COLUMN".
std::string PositionText(Position position);

}  // namespace rf::jinja
