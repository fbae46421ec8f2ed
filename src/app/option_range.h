// A check of a numeric flag that accepts only what is inside, so that NaN, words and empty values are refused too.
#pragma once

#include <charconv>
#include <string>
#include <type_traits>

#include <fmt/format.h>
#include <CLI/App.hpp>

#include "base/utf8.h"

namespace rf::app {

/// For CLI::Option::check(): the whole text must be a number of type T in min..max. The message names the value and
/// the range; CLI11 puts the option in front.
template <typename T>
CLI::Validator AcceptIn(T min, T max) {
  const auto check = [min, max](std::string& text) -> std::string {
    T value{};
    const char* end = text.data() + text.size();
    const auto [stopped, failed] = std::from_chars(text.data(), end, value);
    const bool is_number = failed == std::errc() && stopped == end;
    const bool is_huge = failed == std::errc::result_out_of_range && stopped == end;
    if (is_number && value >= min && value <= max) return "";
    const char* what = is_number || is_huge    ? "is outside"
                       : std::is_integral_v<T> ? "is not a whole number; it takes"
                                               : "is not a number; it takes";
    return fmt::format("'{}' {} {}..{}", EscapeForMessage(text, 40), what, min, max);
  };
  return CLI::Validator(check, fmt::format("{}..{}", min, max));
}

}  // namespace rf::app
