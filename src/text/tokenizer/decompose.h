// One character's canonical decomposition (Unicode Standard Annex 15), from utf8proc.
#pragma once

#include <utf8proc.h>

namespace rf {

inline constexpr int kMaxDecomposition = 32;  ///< no character has more parts

/// Writes the canonical decomposition of `c` to `parts` and returns how many there are; at
/// least 1: a character without one is its own.
inline int Decompose(char32_t c, utf8proc_int32_t (&parts)[kMaxDecomposition]) {
  constexpr auto kOptions = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE);
  const auto n = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts, kMaxDecomposition, kOptions, nullptr);
  if (n > 0 && n <= kMaxDecomposition) return static_cast<int>(n);
  parts[0] = static_cast<utf8proc_int32_t>(c);
  return 1;
}

}  // namespace rf
