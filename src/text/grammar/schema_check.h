// Whether a JSON schema is one at all, apart from whether it can be enforced.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "text/grammar/schema_shape.h"

namespace rf::grammar {

/// What checks may cost: each subschema, keyword, listed value (`enum`, `required`, `type`) and byte of a pattern or a
/// reference takes one step.
inline constexpr int64_t kMaxCheckSteps = 500'000;

/// Success for a schema of the drafts 4 to 2020-12: keywords have values of their types, patterns are regular
/// expressions (ECMA-262), references inside of the document lead somewhere, and none leads back to itself without
/// reading a part of the value first. Looks at all that the root leads to, in linear time, without recursion. Unknown
/// keywords and formats, and what a grammar cannot enforce, are no errors. Takes from `steps`. Errors:
/// kInvalidArgument, `where` is the JSON pointer.
Status CheckJsonSchema(const Json& schema, int64_t& steps);

}  // namespace rf::grammar
