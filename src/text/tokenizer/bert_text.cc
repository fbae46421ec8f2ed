#include "text/tokenizer/bert_text.h"

#include <utf8proc.h>

#include <array>
#include <iterator>

#include "base/utf8.h"
#include "text/tokenizer/char_class.h"
#include "text/tokenizer/decompose.h"
#include "text/tokenizer/lower_case.h"

namespace rf {
namespace {

// What becomes of a character.
enum class Fate : uint8_t {
  kKept,   // it stays as it is
  kSpace,  // it ends a word
  kDropped,
  kAlone,  // it stays, as a word of its own
  kOther   // it is decomposed, loses its case, or is a mark
};

// The blocks of the original; the gap before U+2B920 is a slip of the reference, which models were trained with.
constexpr CodePointRange kChinese[] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
                                       {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F}};

bool IsChinese(char32_t c) {
  for (const CodePointRange& range : kChinese) {
    if (c >= range.first && c <= range.last) return true;
  }
  return false;
}

bool IsPunctuation(char32_t c) {
  const unsigned classes = CharClassesOf(c);
  return (classes & kPunctuation) != 0 || (c < 0x80 && (classes & kSymbol) != 0);
}

bool IsDropped(char32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  if (c == 0 || c == kReplacementCharacter) return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CO: return true;
    default: return false;
  }
}

Fate FateOf(char32_t c) {
  if (IsDropped(c)) return Fate::kDropped;
  if ((CharClassesOf(c) & kSpace) != 0) return Fate::kSpace;
  utf8proc_int32_t parts[kMaxDecomposition];
  const bool is_simple = Decompose(c, parts) == 1 && static_cast<char32_t>(parts[0]) == c &&
                         utf8proc_tolower(parts[0]) == parts[0] && utf8proc_category(parts[0]) != UTF8PROC_CATEGORY_MN;
  if (!is_simple) return Fate::kOther;
  return IsPunctuation(c) || IsChinese(c) ? Fate::kAlone : Fate::kKept;
}

using FateTable = std::array<Fate, 0x10000>;

const FateTable& Fates() {
  static const auto* const table = [] {
    auto* fates = new FateTable;
    for (char32_t c = 0; c < fates->size(); ++c) (*fates)[c] = FateOf(c);
    return fates;
  }();
  return *table;
}

void AppendAlone(std::string& words, char32_t c) {
  words += ' ';
  AppendUtf8(words, c);
  words += ' ';
}

void AppendOther(std::string& words, char32_t c, const BertTextRules& rules) {
  const bool is_alone = IsChinese(c);
  if (is_alone) words += ' ';
  utf8proc_int32_t parts[kMaxDecomposition] = {static_cast<utf8proc_int32_t>(c)};
  const int n = rules.strip_accents ? Decompose(c, parts) : 1;
  for (int i = 0; i < n; ++i) {
    const auto part = static_cast<char32_t>(parts[i]);
    if (rules.strip_accents && utf8proc_category(parts[i]) == UTF8PROC_CATEGORY_MN) continue;
    if ((CharClassesOf(part) & kSpace) != 0) {
      words += ' ';
    } else if (IsPunctuation(part)) {
      AppendAlone(words, part);
    } else if (rules.lowercase) {
      AppendLower(words, part);
    } else {
      AppendUtf8(words, part);
    }
  }
  if (is_alone) words += ' ';
}

}  // namespace

void WriteBertWords(std::string_view text, const BertTextRules& rules, std::string& words) {
  const FateTable& fates = Fates();
  words.clear();
  words.reserve(text.size() + text.size() / 4);
  const char* const end = text.data() + text.size();
  for (const char* p = text.data(); p != end;) {
    const Utf8Step step = DecodeUtf8(p, end);
    const char32_t c = step.code_point;
    const char* const character = p;
    p += step.valid ? step.length : 1;
    if (!step.valid) continue;
    switch (c < fates.size() ? fates[c] : FateOf(c)) {
      case Fate::kKept: words.append(character, step.length); break;
      case Fate::kSpace: words += ' '; break;
      case Fate::kDropped: break;
      case Fate::kAlone: AppendAlone(words, c); break;
      case Fate::kOther:
        if (c < 0x80 && rules.lowercase) {
          words += static_cast<char>(c + ('a' - 'A'));
        } else {
          AppendOther(words, c, rules);
        }
        break;
    }
  }
}

}  // namespace rf
