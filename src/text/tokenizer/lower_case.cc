#include "text/tokenizer/lower_case.h"

#include <utf8proc.h>

#include "base/utf8.h"

namespace rf {

void AppendLower(std::string& out, char32_t c) {
  if (c == 0x0130) {  // the one character whose small form has two
    out += "i\u0307";
    return;
  }
  AppendUtf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
}

}  // namespace rf
