#include <algorithm>
#include <iterator>

#include "text/tokenizer/stages.h"

namespace rf::scan {
namespace {

// The cased letters that the pre-tokenizer of DeepSeek LLM lists one by one.
constexpr CodePointRange kListedLetters[] = {
    {0x0041, 0x005A},   {0x0061, 0x007A},   {0x00B5, 0x00B5},   {0x00C0, 0x00D6},   {0x00D8, 0x00F6},
    {0x00F8, 0x01BA},   {0x01BC, 0x01BF},   {0x01C4, 0x0293},   {0x0295, 0x02AF},   {0x0370, 0x0373},
    {0x0376, 0x0377},   {0x037B, 0x037D},   {0x037F, 0x037F},   {0x0386, 0x0386},   {0x0388, 0x038A},
    {0x038C, 0x038C},   {0x038E, 0x03A1},   {0x03A3, 0x03F5},   {0x03F7, 0x0481},   {0x048A, 0x052F},
    {0x0531, 0x0556},   {0x10A0, 0x10C5},   {0x13A0, 0x13F5},   {0x13F8, 0x13FD},   {0x1C90, 0x1CBA},
    {0x1CBD, 0x1CBF},   {0x1D00, 0x1D2B},   {0x1D6B, 0x1D77},   {0x1D79, 0x1D9A},   {0x1E00, 0x1F15},
    {0x1F18, 0x1F1D},   {0x1F20, 0x1F45},   {0x1F48, 0x1F4D},   {0x1F50, 0x1F57},   {0x1F59, 0x1F59},
    {0x1F5B, 0x1F5B},   {0x1F5D, 0x1F5D},   {0x1F5F, 0x1F7D},   {0x1F80, 0x1FB4},   {0x1FB6, 0x1FBC},
    {0x1FBE, 0x1FBE},   {0x1FC2, 0x1FC4},   {0x1FC6, 0x1FCC},   {0x1FD0, 0x1FD3},   {0x1FD6, 0x1FDB},
    {0x1FE0, 0x1FEC},   {0x1FF2, 0x1FF4},   {0x1FF6, 0x1FFC},   {0x2102, 0x2102},   {0x2107, 0x2107},
    {0x210A, 0x2113},   {0x2115, 0x2115},   {0x2119, 0x211D},   {0x2124, 0x2124},   {0x2126, 0x2126},
    {0x2128, 0x2128},   {0x212A, 0x212D},   {0x212F, 0x2134},   {0x2139, 0x2139},   {0x213C, 0x213F},
    {0x2145, 0x2149},   {0x214E, 0x214E},   {0x2183, 0x2184},   {0x2C00, 0x2C7B},   {0x2C7E, 0x2CE4},
    {0x2CEB, 0x2CEE},   {0x2CF2, 0x2CF3},   {0xA640, 0xA66D},   {0xA680, 0xA69B},   {0xA722, 0xA76F},
    {0xA771, 0xA787},   {0xA78B, 0xA78E},   {0xAB70, 0xABBF},   {0xFB00, 0xFB06},   {0xFB13, 0xFB17},
    {0xFF21, 0xFF3A},   {0xFF41, 0xFF5A},   {0x10400, 0x1044F}, {0x104B0, 0x104D3}, {0x104D8, 0x104FB},
    {0x10C80, 0x10CB2}, {0x10CC0, 0x10CF2}, {0x118A0, 0x118DF}, {0x1E900, 0x1E943}};

constexpr CodePointRange kListedPunctuation[] = {{0x21, 0x2F},     {0x3A, 0x7E},     {0x2018, 0x201F},
                                                 {0x3001, 0x3002}, {0xFF01, 0xFF0F}, {0xFF1A, 0xFF5E}};

// Chinese, kana, Thai (as far as the expression goes), Lao, Khmer, Burmese, Korean.
constexpr CodePointRange kAfmoeAsian[] = {{0x0E40, 0x0EFF}, {0x1000, 0x109F}, {0x1100, 0x11FF}, {0x1780, 0x17FF},
                                          {0x2F00, 0x2FDF}, {0x3040, 0x30FF}, {0x3400, 0x4DBF}, {0x4E00, 0x9FFF},
                                          {0xA9E0, 0xA9FF}, {0xAA60, 0xAA7F}, {0xAC00, 0xD7AF}, {0xF900, 0xFAFF},
                                          {0xFF65, 0xFF9F}};

template <size_t kSize>
bool IsInRanges(const CharInfo& c, const CodePointRange (&ranges)[kSize]) {
  const CodePointRange* range =
      std::upper_bound(std::begin(ranges), std::end(ranges), c.code_point,
                       [](char32_t value, const CodePointRange& r) { return value < r.first; });
  return c.length != 0 && range != std::begin(ranges) && c.code_point <= (range - 1)->last;
}

template <typename IsInside>
const char* SkipIf(const char* p, const char* end, const IsInside& is_inside) {
  for (CharInfo c = PeekChar(p, end); c.length != 0 && is_inside(c); c = PeekChar(p, end)) p += c.length;
  return p;
}

// \s?[set]+ at p, or p.
template <typename IsInside>
const char* MatchSpaceThenRun(const char* p, const char* end, const IsInside& is_inside) {
  const CharInfo c = PeekChar(p, end);
  if (c.Is(kSpace)) {
    const char* after = p + c.length;
    if (const char* q = SkipIf(after, end, is_inside); q != after) return q;
  }
  return SkipIf(p, end, is_inside);
}

template <typename IsInside>
const char* SpaceThenRunOrGap(const char* p, const char* end, const IsInside& is_inside) {
  return MatchOrGap(
      p, end, [&is_inside](const char* at, const char* limit) { return MatchSpaceThenRun(at, limit, is_inside); });
}

bool IsKorean(const CharInfo& c) {
  return (c.code_point >= 0xAC00 && c.code_point <= 0xD7A3) || (c.code_point >= 0x3131 && c.code_point <= 0x318E);
}

bool IsFullPunctuation(const CharInfo& c) {
  switch (c.code_point) {
    case 0xFF01:  // ！
    case 0x2026:  // …
    case 0x201C:  // “
    case 0x201D:  // ”
    case 0x2018:  // ‘
    case 0x2019:  // ’
    case 0x2014:  // —
    case 0xFF1A:  // ：
    case 0xFF1B:  // ；
    case 0xFF0C:  // ，
      return true;
    default: break;
  }
  return (c.code_point >= 0x3001 && c.code_point <= 0x303F) || (c.code_point >= 0xFE30 && c.code_point <= 0xFE4F);
}

bool IsBopomofo(const CharInfo& c) {
  return c.code_point >= 0x3105 && c.code_point <= 0x312F;
}

bool IsHanOrKana(const CharInfo& c) {
  return (c.code_point >= 0x4E00 && c.code_point <= 0x9FA5) || (c.code_point >= 0x3040 && c.code_point <= 0x30FF);
}

bool IsAsciiLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

template <bool kNewlinesAlone>
const char* MatchDeepSeekV3(const char* p, const char* end) {
  const CharInfo c = PeekChar(p, end);
  const char* after = p + c.length;
  if (c.code_point < 0x80 && c.Is(kPunctuation | kSymbol) && after != end && IsAsciiLetter(*after)) {
    do ++after;
    while (after != end && IsAsciiLetter(*after));
    return after;
  }
  if (!c.Is(kNewline | kLetter | kPunctuation | kSymbol)) {
    if (const char* q = SkipAny(after, end, kLetter | kMark); q != after) return q;
  }
  if (c.Is(kLetter | kMark)) return SkipAny(after, end, kLetter | kMark);
  const char* begin = *p == ' ' ? p + 1 : p;
  if (const char* q = SkipAny(begin, end, kPunctuation | kSymbol); q != begin) {
    return kNewlinesAlone ? q : SkipAny(q, end, kNewline);
  }
  if (kNewlinesAlone && c.Is(kNewline)) return after;
  if (kNewlinesAlone && c.Is(kSpace)) return MatchSpaces(p, end);
  return c.Is(kSpace) ? MatchSpacesAndNewlines(p, end) : p;
}

}  // namespace

const char* DeepSeekV3(const char* p, const char* end) {
  return MatchOrGap(p, end, MatchDeepSeekV3<false>);
}

const char* Spark25(const char* p, const char* end) {
  return MatchOrGap(p, end, MatchDeepSeekV3<true>);
}

const char* YoutuEastAsian(const char* p, const char* end) {
  return MatchOrGap(p, end, [](const char* at, const char* limit) {
    for (const auto is_inside : {IsKorean, IsFullPunctuation, IsBopomofo, IsHanOrKana}) {
      if (const char* q = SkipIf(at, limit, is_inside); q != at) return q;
    }
    return at;
  });
}

const char* AfmoeAsian(const char* p, const char* end) {
  return RunOrGap(p, end, [](const CharInfo& c) { return IsInRanges(c, kAfmoeAsian); });
}

const char* HanAndKana(const char* p, const char* end) {
  return RunOrGap(p, end, IsHanOrKana);
}

const char* SingleNewline(const char* p, const char* end) {
  return PeekChar(p, end).Is(kNewline) ? p + 1 : SkipNone(p, end, kNewline);
}

const char* SpaceLetters(const char* p, const char* end) {
  return SpaceThenRunOrGap(p, end, [](const CharInfo& c) { return c.Is(kLetter); });
}

const char* SpacePunctuation(const char* p, const char* end) {
  return SpaceThenRunOrGap(p, end, [](const CharInfo& c) { return c.Is(kPunctuation); });
}

const char* SpaceListedLetters(const char* p, const char* end) {
  return SpaceThenRunOrGap(p, end, [](const CharInfo& c) { return IsInRanges(c, kListedLetters); });
}

const char* SpaceListedPunctuation(const char* p, const char* end) {
  return SpaceThenRunOrGap(p, end, [](const CharInfo& c) { return IsInRanges(c, kListedPunctuation); });
}

const char* SpacesAtEnd(const char* p, const char* end) {
  const char* after_other = p;  // behind the last character that is no white space
  for (const char* q = p; q != end;) {
    const CharInfo c = PeekChar(q, end);
    q += c.length;
    if (!c.Is(kSpace)) after_other = q;
  }
  return after_other == p ? end : after_other;
}

const char* EastAsian(const char* p, const char* end) {
  return RunOrGap(p, end, [](const CharInfo& c) {
    return !c.Is(kSpace) &&
           ((c.code_point >= 0x0800 && c.code_point <= 0x9FA5) || (c.code_point >= 0xAC00 && c.code_point <= 0xD7FF));
  });
}

}  // namespace rf::scan
