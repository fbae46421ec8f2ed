#include "text/tokenizer/char_class.h"

#include <utf8proc.h>

#include <array>
#include <vector>

namespace rf {
namespace {

bool IsWhiteSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

unsigned ClassesOfCategory(utf8proc_category_t category) {
  switch (category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LT: return kLetter | kWord | kUpperLike | kCasedLetter;
    case UTF8PROC_CATEGORY_LL: return kLetter | kWord | kLowerLike | kCasedLetter;
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return kLetter | kWord | kUpperLike | kLowerLike;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: return kMark | kWord | kUpperLike | kLowerLike;
    case UTF8PROC_CATEGORY_ND: return kNumber | kDigit | kWord;
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return kNumber;
    case UTF8PROC_CATEGORY_PC: return kPunctuation | kWord;
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO: return kPunctuation;
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO: return kSymbol;
    default: return 0;
  }
}

// Script=Han of Unicode 15.1's Scripts.txt.
constexpr CodePointRange kHanRanges[] = {{0x2E80, 0x2E99},   {0x2E9B, 0x2EF3},   {0x2F00, 0x2FD5},   {0x3005, 0x3005},
                                         {0x3007, 0x3007},   {0x3021, 0x3029},   {0x3038, 0x303B},   {0x3400, 0x4DBF},
                                         {0x4E00, 0x9FFF},   {0xF900, 0xFA6D},   {0xFA70, 0xFAD9},   {0x16FE2, 0x16FE3},
                                         {0x16FF0, 0x16FF1}, {0x20000, 0x2A6DF}, {0x2A700, 0x2B739}, {0x2B740, 0x2B81D},
                                         {0x2B820, 0x2CEA1}, {0x2CEB0, 0x2EBE0}, {0x2EBF0, 0x2EE5D}, {0x2F800, 0x2FA1D},
                                         {0x30000, 0x3134A}, {0x31350, 0x323AF}};

bool IsHan(char32_t c) {
  for (const CodePointRange& range : kHanRanges) {
    if (c <= range.last) return c >= range.first;
  }
  return false;
}

// A superset of the characters whose NFC_Quick_Check is not Yes (Unicode Standard Annex 15): those with a decomposition
// that is not composed again, and those that may compose with what stands before them. The latter are combining marks
// and the vowels and finals of conjoining Hangul.
bool MayNotBeNfc(char32_t c, const utf8proc_property_t& property, unsigned classes) {
  if (c < 0x300) return false;
  if ((classes & kMark) != 0 || property.combining_class != 0 || (c >= 0x1100 && c < 0x1200)) return true;
  if (property.decomp_seqindex == UINT16_MAX || property.decomp_type != 0) return false;
  utf8proc_int32_t buffer[8];
  auto n = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), buffer, 8,
                                   static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE), nullptr);
  if (n <= 0 || n > 8) return true;
  n = utf8proc_normalize_utf32(buffer, n, static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
  return n != 1 || buffer[0] != static_cast<utf8proc_int32_t>(c);
}

const uint16_t* BuildTable() {
  static std::array<uint16_t, kTabulatedCodePoints> table;
  for (char32_t c = 0; c < kTabulatedCodePoints; ++c) table[c] = LookUpCharClasses(c);
  return table.data();
}

}  // namespace

const uint16_t* const kCharClasses = BuildTable();

uint16_t LookUpCharClasses(char32_t code_point) {
  const utf8proc_property_t& property = *utf8proc_get_property(static_cast<utf8proc_int32_t>(code_point));
  unsigned classes = ClassesOfCategory(static_cast<utf8proc_category_t>(property.category));
  if (IsWhiteSpace(code_point)) classes |= kSpace;
  if (IsHan(code_point)) classes |= kHan;
  if (code_point == '\r' || code_point == '\n') classes |= kNewline;
  if (MayNotBeNfc(code_point, property, classes)) classes |= kMayNotBeNfc;
  return static_cast<uint16_t>(classes);
}

}  // namespace rf
