// Text as BERT's tokenizers see it: cleaned, in lower case and without accents where the model wants that, cut into
// words. Source: BasicTokenizer of google-research/bert; BertNormalizer and BertPreTokenizer of Hugging Face's
// tokenizers, which is followed where they differ.
#pragma once

#include <string>
#include <string_view>

namespace rf {

struct BertTextRules {
  bool lowercase = true;
  bool strip_accents = true;  ///< canonical decomposition, then no nonspacing marks
};

/// `words` becomes the words of the text with spaces between them (and perhaps around): white space ends a word,
/// punctuation and Chinese characters are words of their own, control characters are dropped. Any bytes are taken; what
/// is not UTF-8 is dropped. Linear time.
void WriteBertWords(std::string_view text, const BertTextRules& rules, std::string& words);

}  // namespace rf
