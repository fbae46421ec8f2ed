// Pre-tokenizers of byte-level BPE: how a text is cut into the words that merges never cross.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "text/tokenizer/scan.h"

namespace rf {

/// One value of `tokenizer.ggml.pre`.
struct PreTokenizer {
  std::string_view name;
  std::span<const scan::Stage> stages;  ///< each applied to every piece of the one before
  bool ignore_merges = false;           ///< a word that is a token as a whole is that token, whatever the merges say
  bool add_bos = false;                 ///< unless the file says otherwise
  bool clean_spaces = false;            ///< Decode removes spaces before punctuation
  bool nfc = false;                     ///< text is put into normalization form C first
};

/// The row for a value of `tokenizer.ggml.pre`, or null if there is none.
const PreTokenizer* FindPreTokenizer(std::string_view name);

/// The row that stands in for an unknown name: the expression of OpenAI's cl100k, from which most others came.
inline constexpr std::string_view kFallbackPreTokenizer = "dbrx";

/// Every known name, separated by ", ".
std::string PreTokenizerNames();

namespace scan {

/// Calls emit(begin, end) for each word of the text, in order.
template <typename Emit>
void Split(std::span<const Stage> stages, const char* p, const char* end, const Emit& emit) {
  while (p != end) {
    const char* piece_end = stages[0](p, end);
    if (stages.size() == 1) {
      emit(p, piece_end);
    } else {
      Split(stages.subspan(1), p, piece_end, emit);
    }
    p = piece_end;
  }
}

}  // namespace scan
}  // namespace rf
