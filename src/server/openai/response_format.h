// `response_format` of chat completions.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "engine/grammar_constraint.h"
#include "server/openai/fields.h"
#include "text/grammar/compile.h"

namespace rf::server {

/// {"type": "text" | "json_object"} or {"type": "json_schema", "json_schema": {"name", "description", "schema",
/// "strict"}}; nothing for text. A schema is enforced whatever `strict` says. Problems are left in `fields`.
std::optional<grammar::GrammarSource> ReadResponseFormat(Fields& fields);

/// Compiled; null for nothing. Errors: those of grammar::Compile(), `where` is "response_format", the place in the
/// schema part of the message.
Result<std::shared_ptr<const grammar::CompiledGrammar>> CompileResponseFormat(
    const std::optional<grammar::GrammarSource>& format, GrammarLibrary& grammars);

}  // namespace rf::server
