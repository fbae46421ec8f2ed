#include "app/style.h"

#include <unistd.h>

#include <cstdlib>

#include "base/utf8.h"

namespace rf::app {

bool IsTerminal(FILE* stream) {
  return isatty(fileno(stream)) == 1;
}

Style StyleFor(FILE* stream) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool is_plain = (no_color != nullptr && *no_color != '\0') || term == nullptr || *term == '\0' ||
                        std::string_view(term) == "dumb";
  if (is_plain || !IsTerminal(stream)) return {};
  return {"\x1b[2m", "\x1b[1m", "\x1b[33m", "\x1b[0m"};
}

std::string ForTerminal(std::string_view text) {
  std::string safe;
  const char* end = text.data() + text.size();
  for (const char* p = text.data(); p < end;) {
    const Utf8Step step = DecodeUtf8(p, end);
    const char32_t c = step.code_point;
    const bool is_control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0);
    if (!step.valid || is_control) {
      safe += kReplacementUtf8;
    } else {
      safe.append(p, step.length);
    }
    p += step.length;
  }
  return safe;
}

}  // namespace rf::app
