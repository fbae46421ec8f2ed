// The JSON of a request, with limits that hold before anything is built from it.
#pragma once

#include <cstddef>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace rf::server {

inline constexpr size_t kMaxJsonDepth = 64;
inline constexpr size_t kMaxJsonNodes = 1'000'000;

/// Parses a request's body: one JSON object. Of a key that is there twice the last one counts. Time is linear in the
/// body's size. Errors: kInvalidArgument for ill-formed UTF-8 or JSON (with the byte), numbers out of range, NaN,
/// nesting beyond kMaxJsonDepth, more than kMaxJsonNodes values or objects with very many members.
Result<nlohmann::ordered_json> ParseJsonBody(std::string_view body);

}  // namespace rf::server
