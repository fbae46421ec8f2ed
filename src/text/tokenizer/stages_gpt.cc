#include <initializer_list>

#include "text/tokenizer/stages.h"

namespace rf::scan {
namespace {

// The family of expressions that began with OpenAI's cl100k.
struct WordRules {
  bool contractions = true;     // (?i:'s|'t|'re|'ve|'m|'ll|'d)
  int max_digits = 1;           // \p{N}{1,max}
  unsigned letters = kLetter;   // what a word is made of
  bool newlines_follow = true;  // punctuation takes [\r\n]* along
};

template <WordRules kRules>
const char* ScanWords(const char* p, const char* end) {
  if constexpr (kRules.contractions) {
    if (const char* q = MatchContraction(p, end, true); q != p) return q;
  }
  const CharInfo c = PeekChar(p, end);
  const char* after = p + c.length;
  if (c.Is(kLetter)) return SkipAny(after, end, kRules.letters);
  if (!c.Is(kNewline | kNumber)) {
    if (const char* q = SkipAny(after, end, kRules.letters); q != after) return q;
    if (c.Is(kRules.letters)) return after;  // a mark with nothing behind it
  }
  if (c.Is(kNumber)) return SkipAtMost(after, end, kNumber, kRules.max_digits - 1);
  constexpr unsigned kNotPunctuation = kSpace | kNumber | kRules.letters;
  const char* begin = *p == ' ' ? after : p;
  if (const char* q = SkipNone(begin, end, kNotPunctuation); q != begin) {
    return kRules.newlines_follow ? SkipAny(q, end, kNewline) : q;
  }
  return MatchSpacesAndNewlines(p, end);
}

// (?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+ at p, or p: letters with their marks, and single spaces between letters.
const char* MatchSpacedWords(const char* p, const char* end) {
  while (PeekChar(p, end).Is(kLetter)) {
    p += PeekChar(p, end).length;
    p = SkipAny(p, end, kMark);
    if (p != end && *p == ' ' && PeekChar(p + 1, end).Is(kLetter)) ++p;
  }
  return p;
}

// [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ at p, or p. The two sets share Lm, Lo and M, so that the
// first, being greedy, gives back up to the last shared character when no small letter follows.
// `kExcluded`: classes that are taken out of both sets.
template <unsigned kExcluded>
const char* MatchCapitalsThenSmall(const char* p, const char* end) {
  const char* after_shared = nullptr;
  const char* q = p;
  CharInfo c = PeekChar(q, end);
  for (; c.Is(kUpperLike) && !c.Is(kExcluded); c = PeekChar(q, end)) {
    q += c.length;
    if (c.Is(kLowerLike)) after_shared = q;
  }
  if (c.Is(kLowerLike) && !c.Is(kExcluded)) return SkipUnless(q, end, kLowerLike, kExcluded);
  return after_shared != nullptr ? after_shared : p;
}

// [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]* at p, or p.
template <unsigned kExcluded>
const char* MatchCapitals(const char* p, const char* end) {
  const char* q = SkipUnless(p, end, kUpperLike, kExcluded);
  return q == p ? p : SkipUnless(q, end, kLowerLike, kExcluded);
}

// Both kinds of words, each with an optional character in front that is no line end, letter or number.
template <unsigned kExcluded>
const char* MatchCasedWord(const char* p, const char* end) {
  const CharInfo c = PeekChar(p, end);
  const bool may_lead = !c.Is(kNewline | kLetter | kNumber);
  const char* after = p + c.length;
  for (const auto match : {MatchCapitalsThenSmall<kExcluded>, MatchCapitals<kExcluded>}) {
    if (may_lead) {
      if (const char* q = match(after, end); q != after) return q;
    }
    if (const char* q = match(p, end); q != p) return q;
  }
  return p;
}

struct CasedRules {
  int max_digits = 1;          // \p{N}{1,max}
  bool contractions = false;   // (?i:'s|'t|'re|'ve|'m|'ll|'d)? behind a word
  bool slashes_follow = true;  // punctuation takes / along, besides [\r\n]
  unsigned excluded = 0;       // what is not part of words
};

template <CasedRules kRules>
const char* ScanCasedWords(const char* p, const char* end) {
  if (const char* q = MatchCasedWord<kRules.excluded>(p, end); q != p) {
    return kRules.contractions ? MatchContraction(q, end, true) : q;
  }
  const CharInfo c = PeekChar(p, end);
  if (c.Is(kNumber)) return SkipAtMost(p, end, kNumber, kRules.max_digits);
  const char* begin = *p == ' ' ? p + 1 : p;
  if (const char* q = SkipNone(begin, end, kSpace | kLetter | kNumber); q != begin) {
    while (q != end && (*q == '\r' || *q == '\n' || (kRules.slashes_follow && *q == '/'))) ++q;
    return q;
  }
  return MatchSpacesAndNewlines(p, end);
}

}  // namespace

const char* Gpt2(const char* p, const char* end) {
  if (const char* q = MatchContraction(p, end, false); q != p) return q;
  const char* begin = *p == ' ' ? p + 1 : p;
  const CharInfo c = PeekChar(begin, end);
  if (c.Is(kLetter)) return SkipAny(begin + c.length, end, kLetter);
  if (c.Is(kNumber)) return SkipAny(begin + c.length, end, kNumber);
  if (c.length != 0 && !c.Is(kSpace)) return SkipNone(begin + c.length, end, kSpace | kLetter | kNumber);
  return MatchSpaces(p, end);
}

const char* Llama3(const char* p, const char* end) {
  return ScanWords<WordRules{.max_digits = 3}>(p, end);
}

const char* Qwen2(const char* p, const char* end) {
  return ScanWords<WordRules{}>(p, end);
}

const char* Qwen35(const char* p, const char* end) {
  return ScanWords<WordRules{.letters = kLetter | kMark}>(p, end);
}

const char* NoContractions(const char* p, const char* end) {
  return ScanWords<WordRules{.contractions = false}>(p, end);
}

const char* SeedCoder(const char* p, const char* end) {
  return ScanWords<WordRules{.newlines_follow = false}>(p, end);
}

const char* ManyDigits(const char* p, const char* end) {
  return ScanWords<WordRules{.max_digits = 1 << 30}>(p, end);
}

const char* Tekken(const char* p, const char* end) {
  return ScanCasedWords<CasedRules{}>(p, end);
}

const char* Gpt4o(const char* p, const char* end) {
  return ScanCasedWords<CasedRules{.max_digits = 3, .contractions = true}>(p, end);
}

const char* Gpt4oSingleDigits(const char* p, const char* end) {
  return ScanCasedWords<CasedRules{.contractions = true}>(p, end);
}

const char* KimiK2(const char* p, const char* end) {
  if (const char* q = SkipAny(p, end, kHan); q != p) return q;
  return ScanCasedWords<CasedRules{.max_digits = 3, .contractions = true, .slashes_follow = false, .excluded = kHan}>(
      p, end);
}

const char* ExaoneMoe(const char* p, const char* end) {
  if (const char* q = MatchContraction(p, end, true); q != p) return q;
  const CharInfo c = PeekChar(p, end);
  const char* after = p + c.length;
  if (const char* q = MatchSpacedWords(p, end); q != p) return q;
  if (!c.Is(kNewline | kNumber)) {
    if (const char* q = MatchSpacedWords(after, end); q != after) return q;
  }
  if (c.Is(kNumber)) return after;
  const char* begin = *p == ' ' ? after : p;
  if (const char* q = SkipNone(begin, end, kSpace | kNumber | kLetter); q != begin) {
    return SkipAtMost(q, end, kNewline, 1);
  }
  return MatchSpacesAndNewlines(p, end);
}

}  // namespace rf::scan
