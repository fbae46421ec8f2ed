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
    case UTF8PROC_CATEGORY_LT: return kLetter | kUpperLike | kCasedLetter;
    case UTF8PROC_CATEGORY_LL: return kLetter | kLowerLike | kCasedLetter;
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return kLetter | kUpperLike | kLowerLike;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: return kMark | kUpperLike | kLowerLike;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return kNumber;
    case UTF8PROC_CATEGORY_PC:
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
  if (code_point == '\r' || code_point == '\n') classes |= kNewline;
  if (MayNotBeNfc(code_point, property, classes)) classes |= kMayNotBeNfc;
  return static_cast<uint16_t>(classes);
}

}  // namespace rf
