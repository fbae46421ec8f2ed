// Pre-tokenizers of BPE: how a text is cut into the words that merges never cross.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "text/tokenizer/scan.h"

namespace rf {

/// What the merges of a vocabulary join.
enum class BpeSymbols : uint8_t {
  kBytes,        ///< bytes, written in GPT-2's alphabet
  kText,         ///< characters of the whole text, with U+2581 for a space
  kSpacedWords,  ///< those of words that begin with U+2581; lines that do not are given one
  kWords         ///< characters of words without the white space around them
};

/// One value of `tokenizer.ggml.pre`.
struct PreTokenizer {
  std::string_view name;
  std::span<const scan::Stage> stages;  ///< each applied to every piece of the one before; none for kText
  BpeSymbols symbols = BpeSymbols::kBytes;
  bool ignore_merges = false;  ///< a word that is a token as a whole is that token, whatever the merges say
  bool add_bos = false;        ///< unless the file says otherwise
  bool clean_spaces = false;   ///< Decode removes spaces before punctuation
  bool nfc = false;            ///< text is put into normalization form C first
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
