// Text normalization in front of a tokenizer.
#pragma once

#include <string>
#include <string_view>

namespace rf {

/// Whether `text` is well-formed UTF-8 apart from surrogates, each encoded in three bytes; otherwise `repaired` is the
/// text with one U+FFFD for each byte that is not part of such a sequence.
bool IsReadable(std::string_view text, std::string& repaired);

/// Whether `text` is in normalization form C (Unicode Standard Annex 15); otherwise `normalized` is that form. Linear
/// time but for the ordering of runs of combining marks. REQUIRES: readable text.
bool IsNfc(std::string_view text, std::string& normalized);

}  // namespace rf
