// JSON schema (draft 2020-12) as a grammar: docs/grammars.md says what is enforced and which stances are taken.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "text/grammar/automaton.h"

namespace rf::grammar {

/// The documents that the schema allows, properties in the schema's order. Errors, `where` is the JSON pointer of the
/// keyword: kInvalidArgument (not a schema: CheckJsonSchema(); nothing matches), kUnsupported (a keyword or a bound
/// that cannot be enforced).
Result<std::shared_ptr<const Automaton>> CompileJsonSchema(std::string_view schema);

/// Any JSON object.
Result<std::shared_ptr<const Automaton>> CompileAnyJsonObject();

}  // namespace rf::grammar
