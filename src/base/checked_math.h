// Arithmetic on untrusted sizes: every product and sum is checked before it is used.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

namespace rf {

/// a * b, or nothing if it does not fit.
template <std::integral T>
[[nodiscard]] constexpr std::optional<T> CheckedMul(T a, T b) {
  T out;
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}

/// a + b, or nothing if it does not fit.
template <std::integral T>
[[nodiscard]] constexpr std::optional<T> CheckedAdd(T a, T b) {
  T out;
  if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
  return out;
}

/// Smallest multiple of `alignment` that is >= value, or nothing if it does not fit. REQUIRES: alignment > 0.
[[nodiscard]] constexpr std::optional<uint64_t> CheckedAlignUp(uint64_t value, uint64_t alignment) {
  const uint64_t rest = value % alignment;
  return rest == 0 ? std::optional(value) : CheckedAdd(value, alignment - rest);
}

}  // namespace rf
