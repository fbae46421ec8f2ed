// Text that remembers which of its bytes came from the caller's values (messages, tools) and which the template wrote.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/text_span.h"

namespace rf::jinja {

/// A growing text. `input` are the spans that came from the caller's values: ascending, not empty, not adjacent.
struct MarkedText {
  std::string text;
  std::vector<TextSpan> input;

  /// Appends text of the template's own.
  void Append(std::string_view own) { text += own; }
  /// Appends text that came from the caller's values.
  void AppendInput(std::string_view given) {
    Mark({text.size(), text.size() + given.size()});
    text += given;
  }
  /// Marks bytes at or behind the last mark.
  void Mark(TextSpan span) {
    if (span.begin == span.end) return;
    if (!input.empty() && input.back().end == span.begin) {
      input.back().end = span.end;
    } else {
      input.push_back(span);
    }
  }
  /// Marks all of it.
  void MarkAll() {
    input.clear();
    Mark({0, text.size()});
  }
};

}  // namespace rf::jinja
