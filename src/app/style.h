// How text looks on a terminal.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace rf::app {

/// Escape sequences, or nothing where colours are not wanted.
struct Style {
  std::string_view dim;
  std::string_view bold;
  std::string_view warning;
  std::string_view reset;
};

/// The style for a stream: colours only on a terminal, not if NO_COLOR is set (https://no-color.org) and not if TERM is
/// unset or "dumb".
Style StyleFor(FILE* stream);

/// Whether the stream is a terminal.
bool IsTerminal(FILE* stream);

/// What a model wrote, made harmless for a terminal: control characters but newline and tab become U+FFFD, so that no
/// escape sequence gets through. REQUIRES: valid UTF-8.
std::string ForTerminal(std::string_view text);

}  // namespace rf::app
