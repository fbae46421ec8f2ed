// Python's two string formatting languages, as far as templates use them.
#pragma once

#include <string>
#include <string_view>

#include "text/template/callable.h"
#include "text/template/meter.h"

namespace rf::jinja {

/// What both languages reduce to: [[fill]align][sign][#][0][width][,][.precision][type].
struct FormatSpec {
  std::string fill = " ";
  char align = 0;  ///< '<', '>', '^', '=' or 0
  char sign = '-';
  bool alternate = false;
  bool grouping = false;
  size_t width = 0;
  int precision = -1;
  char type = 0;
};

/// Formats one value. Errors: a type letter that does not fit the value, limits.
Result<std::string> FormatValue(const Value& value, const FormatSpec& spec, Meter& meter);

/// text.format(args). Errors: bad fields, missing arguments, limits.
Result<std::string> BraceFormat(Interpreter& interpreter, std::string_view text, const Args& args);

/// `text` padded to `width` code points. Errors: limits.
Result<std::string> Pad(std::string_view text, size_t width, char align, std::string_view fill, Meter& meter);

/// str.center, which puts the odd blank on the other side than a format does.
Result<std::string> CenterText(std::string_view text, size_t width, std::string_view fill, Meter& meter);

}  // namespace rf::jinja
