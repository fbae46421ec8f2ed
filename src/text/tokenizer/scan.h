// Building blocks of the pre-tokenizers: hand-written scanners that find what a model's published regular expression
// would find, in linear time and without a regular expression engine.
//
// A stage cuts the front piece off a text: it returns where the piece ends, p < result <= end. A piece is a match of
// the expression or a whole gap between matches, as in the "Split, Isolated" pre-tokenizers of Hugging Face's
// tokenizers.
#pragma once

#include "text/tokenizer/char_class.h"

namespace rf::scan {

/// REQUIRES: p < end; the text is well-formed UTF-8 (whole surrogates allowed).
using Stage = const char* (*)(const char* p, const char* end);

/// End of the longest run of characters with one of the classes `mask`.
inline const char* SkipAny(const char* p, const char* end, unsigned mask) {
  for (CharInfo c = PeekChar(p, end); c.Is(mask); c = PeekChar(p, end)) p += c.length;
  return p;
}

/// End of the longest run of characters with none of the classes `mask`.
inline const char* SkipNone(const char* p, const char* end, unsigned mask) {
  for (CharInfo c = PeekChar(p, end); c.length != 0 && !c.Is(mask); c = PeekChar(p, end)) p += c.length;
  return p;
}

/// As SkipAny, without characters that have one of the classes `excluded`.
inline const char* SkipUnless(const char* p, const char* end, unsigned mask, unsigned excluded) {
  for (CharInfo c = PeekChar(p, end); c.Is(mask) && !c.Is(excluded); c = PeekChar(p, end)) p += c.length;
  return p;
}

/// As SkipAny, at most `limit` characters.
inline const char* SkipAtMost(const char* p, const char* end, unsigned mask, int limit) {
  for (CharInfo c = PeekChar(p, end); limit > 0 && c.Is(mask); c = PeekChar(p, end), --limit) p += c.length;
  return p;
}

/// End of `'s|'t|'re|'ve|'m|'ll|'d` at p, or p. With `any_case` also in capitals, and U+017F for s as Unicode's case
/// folding has it.
const char* MatchContraction(const char* p, const char* end, bool any_case);

/// The last character of [p, end). REQUIRES: p < end.
inline CharInfo PeekLastChar(const char* p, const char* end) {
  const char* q = end - 1;
  while (q != p && (static_cast<uint8_t>(*q) & 0xC0) == 0x80) --q;
  return PeekChar(q, end);
}

/// White space at p by `\s+(?!\S)|\s+`: all of a run at the end of the text, otherwise all but its last character
/// (which goes with the next word), or a lone one. REQUIRES: white space at p.
const char* MatchSpaces(const char* p, const char* end);

/// As MatchSpaces, but first `\s*[\r\n]+`: up to the last line end of the run.
const char* MatchSpacesAndNewlines(const char* p, const char* end);

/// `match` gives the end of a match at p, or p. The piece is that match, or the gap up to where the next match begins.
template <typename Match>
const char* MatchOrGap(const char* p, const char* end, const Match& match) {
  if (const char* matched = match(p, end); matched != p) return matched;
  do {
    p += PeekChar(p, end).length;
  } while (p != end && match(p, end) == p);
  return p;
}

/// A run inside or outside of a set of characters: the expression `[set]+`.
template <typename IsInside>
const char* RunOrGap(const char* p, const char* end, const IsInside& is_inside) {
  CharInfo c = PeekChar(p, end);
  const bool inside = is_inside(c);
  do {
    p += c.length;
    c = PeekChar(p, end);
  } while (c.length != 0 && is_inside(c) == inside);
  return p;
}

}  // namespace rf::scan
