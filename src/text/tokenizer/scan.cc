#include "text/tokenizer/scan.h"

namespace rf::scan {

const char* MatchContraction(const char* p, const char* end, bool any_case) {
  if (end - p < 2 || *p != '\'') return p;
  const auto lower = [any_case](char c) { return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const char first = lower(p[1]);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return p + 2;
  if (end - p < 3) return p;
  const char second = lower(p[2]);
  if ((first == 'r' || first == 'v') && second == 'e') return p + 3;
  if (first == 'l' && second == 'l') return p + 3;
  if (any_case && p[1] == '\xC5' && p[2] == '\xBF') return p + 3;
  return p;
}

const char* MatchSpaces(const char* p, const char* end) {
  const char* last = p;
  const char* q = p;
  for (CharInfo c = PeekChar(q, end); c.Is(kSpace); c = PeekChar(q, end)) {
    last = q;
    q += c.length;
  }
  return q == end || last == p ? q : last;
}

const char* MatchSpacesAndNewlines(const char* p, const char* end) {
  const char* last = p;
  const char* after_newline = p;
  const char* q = p;
  for (CharInfo c = PeekChar(q, end); c.Is(kSpace); c = PeekChar(q, end)) {
    last = q;
    q += c.length;
    if (c.Is(kNewline)) after_newline = q;
  }
  if (after_newline != p) return after_newline;
  return q == end || last == p ? q : last;
}

}  // namespace rf::scan
