// U+2581, which SentencePiece vocabularies write for a space.
#pragma once

#include <string>
#include <string_view>

namespace rf {

inline constexpr std::string_view kSpaceSign = "\xE2\x96\x81";

/// `replaced` is `text` with plain spaces for the signs; false, and nothing happens, if it has none.
inline bool ReplaceSpaceSigns(std::string_view text, std::string& replaced) {
  size_t found = text.find(kSpaceSign);
  if (found == std::string_view::npos) return false;
  replaced.clear();
  while (found != std::string_view::npos) {
    replaced.append(text.substr(0, found));
    replaced += ' ';
    text.remove_prefix(found + kSpaceSign.size());
    found = text.find(kSpaceSign);
  }
  replaced.append(text);
  return true;
}

}  // namespace rf
