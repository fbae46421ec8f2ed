#include <cstring>
#include <string_view>

#include "text/tokenizer/stages.h"

namespace rf::scan {
namespace {

bool IsAsciiDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsOneOf(const CharInfo& c, const char* ascii) {
  return c.code_point != 0 && c.code_point < 0x80 && strchr(ascii, static_cast<char>(c.code_point)) != nullptr;
}

bool IsBloomWord(const CharInfo& c) {
  if (c.length == 0 || c.Is(kSpace) || IsOneOf(c, "(|.,!?)")) return false;
  switch (c.code_point) {
    case 0x2026:  // …
    case 0x3002:  // 。
    case 0xFF0C:  // ，
    case 0x3001:  // 、
    case 0x0964:  // ।
    case 0x06D4:  // ۔
    case 0x060C:  // ،
      return false;
    default: return true;
  }
}

// Cuts before the places from which a whole number of triples of `kClass` is left up to the end of a run of it:
// (?=(\d{3})+(?!\d)), where runs of at least three stand. But only the first one of each run; behind it
// DigitTriples goes on.
template <unsigned kClass>
const char* SplitLeading(const char* p, const char* end) {
  for (const char* q = p; q != end;) {
    const char* const run = q;
    size_t n = 0;
    for (CharInfo c = PeekChar(q, end); c.Is(kClass); c = PeekChar(q, end), ++n) q += c.length;
    const char* const cut = SkipAtMost(run, q, kClass, static_cast<int>(n % 3));
    if (n >= 3 && cut != p) return cut;
    q = SkipNone(q, end, kClass);
  }
  return end;
}

}  // namespace

const char* SingleDigit(const char* p, const char* end) {
  const CharInfo c = PeekChar(p, end);
  return c.Is(kNumber) ? p + c.length : SkipNone(p, end, kNumber);
}

const char* DigitRun(const char* p, const char* end) {
  return RunOrGap(p, end, [](const CharInfo& c) { return c.Is(kNumber); });
}

const char* UpToThreeDigits(const char* p, const char* end) {
  return PeekChar(p, end).Is(kNumber) ? SkipAtMost(p, end, kNumber, 3) : SkipNone(p, end, kNumber);
}

const char* ThreeAsciiDigits(const char* p, const char* end) {
  int digits = 0;
  for (const char* q = p; q != end; ++q) {
    digits = IsAsciiDigit(*q) ? digits + 1 : 0;
    if (digits == 3) return q - 2 == p ? q + 1 : q - 2;
  }
  return end;
}

const char* FalconPunctuation(const char* p, const char* end) {
  return RunOrGap(p, end, [](const CharInfo& c) { return c.Is(kPunctuation) || IsOneOf(c, "$+<=>^~|`"); });
}

const char* DefaultPunctuation(const char* p, const char* end) {
  return RunOrGap(p, end, [](const CharInfo& c) { return c.Is(kPunctuation) || IsOneOf(c, "$+<=>^~|"); });
}

const char* DigitsBeforeBoundary(const char* p, const char* end) {
  return MatchOrGap(p, end, [](const char* at, const char* limit) {
    const char* q = SkipAny(at, limit, kDigit);
    return PeekChar(q, limit).Is(kWord) ? at : q;
  });
}

const char* LeadingDigits(const char* p, const char* end) {
  return SplitLeading<kDigit>(p, end);
}

const char* LeadingNumbers(const char* p, const char* end) {
  return SplitLeading<kNumber>(p, end);
}

const char* DigitTriples(const char* p, const char* end) {
  const char* q = SkipAtMost(p, end, kDigit, 3);
  return q != p && PeekChar(q, end).Is(kDigit) ? q : end;
}

const char* DigitTriplesAtEnd(const char* p, const char* end) {
  return PeekLastChar(p, end).Is(kDigit) ? DigitTriples(p, end) : end;
}

const char* LeadingDigitsAtEnd(const char* p, const char* end) {
  return PeekLastChar(p, end).Is(kDigit) ? LeadingDigits(p, end) : end;
}

const char* NewlineRun(const char* p, const char* end) {
  return RunOrGap(p, end, [](const CharInfo& c) { return c.code_point == '\n' && c.length != 0; });
}

const char* SpacePowers(const char* p, const char* end) {
  const CharInfo last = PeekLastChar(p, end);
  if (!last.Is(kSpace) || last.Is(kNewline)) return end;
  int n = 0;  // white space in front, as far as it matters
  for (const char* q = p; q != end && n < 512; ++n) q += PeekChar(q, end).length;
  int piece = n >= 2 ? 2 : 1;
  for (int power = 4; power <= n; power *= 2) piece = power;
  return SkipAtMost(p, end, kSpace, piece);
}

const char* ChameleonSentinel(const char* p, const char* end) {
  return MatchOrGap(p, end, [](const char* at, const char* limit) {
    constexpr std::string_view kOpen = "<sentinel:";
    const std::string_view rest(at, static_cast<size_t>(limit - at));
    if (!rest.starts_with(kOpen)) return at;
    size_t n = kOpen.size();
    while (n < rest.size() && IsAsciiDigit(rest[n])) ++n;
    return n > kOpen.size() && n < rest.size() && rest[n] == '>' ? at + n + 1 : at;
  });
}

const char* ChameleonImage(const char* p, const char* end) {
  return MatchOrGap(p, end, [](const char* at, const char* limit) {
    constexpr std::string_view kOpen = "IMGIMG";
    const std::string_view rest(at, static_cast<size_t>(limit - at));
    if (!rest.starts_with(kOpen)) return at;
    size_t n = kOpen.size();
    while (n < rest.size() && n < kOpen.size() + 4 && rest[n] >= 'A' && rest[n] <= 'I') ++n;
    return n > kOpen.size() && n < rest.size() && rest[n] == 'Z' ? at + n + 1 : at;
  });
}

const char* ChameleonSpaces(const char* p, const char* end) {
  return MatchOrGap(p, end, [](const char* at, const char* limit) {
    if (at != limit && (*at == '\t' || *at == '\n')) return at + 1;
    const std::string_view rest(at, static_cast<size_t>(limit - at));
    return rest.starts_with("    ") ? at + 4 : rest.starts_with("  ") ? at + 2 : at;
  });
}

const char* SinglePunctuation(const char* p, const char* end) {
  return MatchOrGap(p, end, [](const char* at, const char* limit) {
    const CharInfo c = PeekChar(at, limit);
    return c.Is(kPunctuation) || (c.Is(kSymbol) && c.code_point < 0x80) ? at + c.length : at;
  });
}

const char* BloomWords(const char* p, const char* end) {
  return MatchOrGap(p, end, [](const char* at, const char* limit) {
    const char* begin = at != limit && *at == ' ' ? at + 1 : at;
    const char* q = begin;
    for (CharInfo c = PeekChar(q, limit); IsBloomWord(c); c = PeekChar(q, limit)) q += c.length;
    return q == begin ? at : q;
  });
}

}  // namespace rf::scan
