// A look at JSON from outside before anything is built from it: a parser recurses, and objects cost more than their
// bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "base/result.h"

namespace rf {

struct JsonLimits {
  size_t depth = 64;  ///< of arrays and objects in each other
  size_t n_values = std::numeric_limits<size_t>::max();
  /// Sum of m * m over objects of m members: what it costs to build objects whose members are found by looking at all
  /// of them.
  uint64_t member_work = std::numeric_limits<uint64_t>::max();
};

/// Counts brackets and commas outside of strings, in linear time. Needs no valid JSON: what it passes a parser may
/// still refuse, but within the limits. Errors: kInvalidArgument, naming the limit; `where` leads to the place, e.g.
/// "tools[0].function.parameters" (its first steps, keys as they are written).
Status CheckJsonShape(std::string_view text, const JsonLimits& limits);

}  // namespace rf
