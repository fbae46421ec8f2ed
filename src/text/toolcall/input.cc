#include "text/toolcall/input.h"

#include <algorithm>

namespace rf::toolcall {

Step TakeLiteral(Input& in, std::string_view literal) {
  const std::string_view rest = in.Rest();
  if (rest.starts_with(literal)) {
    in.pos += literal.size();
    return Step::kDone;
  }
  return literal.starts_with(rest) && !in.is_ended ? Step::kMore : Step::kFail;
}

size_t PartialMatch(std::string_view text, std::string_view literal) {
  for (size_t n = std::min(text.size(), literal.size() - 1); n > 0; --n) {
    if (literal.starts_with(text.substr(text.size() - n))) return n;
  }
  return 0;
}

bool IsNameByte(char c) {
  const bool is_alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return is_alphanumeric || c == '_' || c == '-' || c == '.' || c == ':' || c == '/' || (c & 0x80) != 0;
}

Step TakeName(Input& in, std::string& name) {
  SkipSpace(in);
  return TakeRun(in, kMaxNameBytes, name, IsNameByte);
}

}  // namespace rf::toolcall
