#include "server/openai/response_format.h"

#include <string>
#include <utility>

#include "server/openai/generation_params.h"

namespace rf::server {
namespace {

using grammar::GrammarKind;
using grammar::GrammarSource;

constexpr size_t kMaxDescriptionBytes = 64u << 10;

std::optional<GrammarSource> ReadJsonSchema(Fields& format) {
  const Fields::Json* wrapped = format.Object("json_schema");
  if (wrapped == nullptr) {
    format.Fail("json_schema", "'response_format' of type 'json_schema' needs an object 'json_schema'");
    return std::nullopt;
  }
  Fields inner(*wrapped, "response_format.json_schema.");
  inner.String("name", kMaxShortTextBytes);
  inner.String("description", kMaxDescriptionBytes);
  inner.Bool("strict");
  const Fields::Json* schema = inner.Object("schema");
  if (schema == nullptr) inner.Fail("schema", "needs an object 'schema'");
  format.Fail(inner.Finish());
  if (schema == nullptr) return std::nullopt;
  return GrammarSource{GrammarKind::kJsonSchema, schema->dump()};
}

}  // namespace

std::optional<GrammarSource> ReadResponseFormat(Fields& fields) {
  const Fields::Json* object = fields.Object("response_format");
  if (object == nullptr) return std::nullopt;
  Fields format(*object, "response_format.");
  std::optional<GrammarSource> source;
  const auto type = format.String("type", kMaxShortTextBytes);
  if (!type) {
    fields.Fail("response_format", "'response_format' needs a string 'type'");
  } else if (*type == "json_object") {
    source = GrammarSource{GrammarKind::kJsonObject, ""};
  } else if (*type == "json_schema") {
    source = ReadJsonSchema(format);
  } else if (*type != "text") {
    format.Fail("type", "must be 'text', 'json_object' or 'json_schema'");
  }
  fields.Fail(format.Finish());
  return source;
}

Result<std::shared_ptr<const grammar::CompiledGrammar>> CompileResponseFormat(
    const std::optional<GrammarSource>& format, GrammarLibrary& grammars) {
  if (!format) return std::shared_ptr<const grammar::CompiledGrammar>();
  auto compiled = grammars.Get(*format);
  if (compiled) return compiled;
  Error error = std::move(compiled).error();
  if (!error.where.empty()) error.message = error.where + ": " + error.message;
  error.where = "response_format";
  return error;
}

}  // namespace rf::server
