// Removes the spaces that word-by-word tokenization of English leaves before punctuation and contractions.
#pragma once

#include <string>
#include <string_view>

namespace rf {

/// " ?", " !", " .", " ," lose their space; " ' " becomes "'"; " 'm", " 's", " 've", " 're" lose their space: what
/// Hugging Face's clean_up_tokenization_spaces does, without its " n't".
std::string CleanSpaces(std::string_view text);

}  // namespace rf
