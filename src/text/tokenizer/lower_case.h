// Small letters, as Hugging Face's tokenizers make them: character by character, without a look at the neighbours.
#pragma once

#include <string>

namespace rf {

/// Appends the lower case of a character: itself if it has none.
void AppendLower(std::string& out, char32_t c);

}  // namespace rf
