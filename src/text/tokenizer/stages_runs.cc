#include <cstring>

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

const char* BloomWords(const char* p, const char* end) {
  return MatchOrGap(p, end, [](const char* at, const char* limit) {
    const char* begin = at != limit && *at == ' ' ? at + 1 : at;
    const char* q = begin;
    for (CharInfo c = PeekChar(q, limit); IsBloomWord(c); c = PeekChar(q, limit)) q += c.length;
    return q == begin ? at : q;
  });
}

}  // namespace rf::scan
