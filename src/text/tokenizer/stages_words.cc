#include <utf8proc.h>

#include "text/tokenizer/stages.h"

namespace rf::scan {
namespace {

// Other_Alphabetic symbols: letters in circles and squares (Unicode's PropList.txt).
constexpr CodePointRange kEnclosedLetters[] = {
    {0x24B6, 0x24E9}, {0x1F130, 0x1F149}, {0x1F150, 0x1F169}, {0x1F170, 0x1F189}};

// [\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}], to which kWord lacks three small sets.
bool IsWordCharacter(const CharInfo& c) {
  if (c.Is(kWord) || c.code_point == 0x200C || c.code_point == 0x200D) return true;
  if (c.Is(kNumber)) {
    return utf8proc_category(static_cast<utf8proc_int32_t>(c.code_point)) == UTF8PROC_CATEGORY_NL;
  }
  for (const CodePointRange& range : kEnclosedLetters) {
    if (c.code_point >= range.first && c.code_point <= range.last) return true;
  }
  return false;
}

enum class Run { kSpace, kWord, kOther };

Run RunOf(const CharInfo& c) {
  return c.Is(kSpace) ? Run::kSpace : IsWordCharacter(c) ? Run::kWord : Run::kOther;
}

}  // namespace

const char* SpacedWords(const char* p, const char* end) {
  const bool is_newline = *p == '\n';
  do {
    ++p;
  } while (p != end && *p != ' ' && (*p == '\n') == is_newline);
  return p;
}

const char* WordRuns(const char* p, const char* end) {
  const Run run = RunOf(PeekChar(p, end));
  do {
    p += PeekChar(p, end).length;
  } while (p != end && RunOf(PeekChar(p, end)) == run);
  return p;
}

}  // namespace rf::scan
