// What every error message must be, whatever the input was.
#pragma once

#include <string>
#include <string_view>

#include "base/utf8.h"

namespace rf {

/// Whether an error message is one line of at most 300 bytes of printable, valid UTF-8. Empty if so, else what
/// is wrong.
inline std::string MessageFlaw(std::string_view message) {
  if (message.empty()) return "empty";
  if (message.size() > 300) return "longer than 300 bytes";
  if (!IsValidUtf8(message)) return "not valid UTF-8";
  for (const char c : message)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return "control character";
  return {};
}

}  // namespace rf
