#include "app/grammar_options.h"

#include <utility>
#include <vector>

#include "app/input.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

using grammar::GrammarKind;
using grammar::GrammarSource;

constexpr size_t kMaxShownPath = 160;

Status Check(const GrammarSource& source, const std::string& name) {
  // Whether a grammar is good does not depend on the vocabulary.
  const auto any = std::make_shared<const grammar::Vocabulary>(std::vector<std::string>{"a"});
  auto compiled = grammar::Compile(source, any);
  if (compiled) return {};
  Error error = std::move(compiled).error();
  error.code = ErrorCode::kInvalidArgument;  // not the model's fault, which kUnsupported would say
  error.where = error.where.empty() ? name : name + ": " + error.where;
  return error;
}

}  // namespace

void AddGrammarOptions(CLI::App& command, GrammarOptions& options) {
  CLI::App* group = command.add_option_group("format", "What the answer must look like");
  group->add_option("--json-schema", options.json_schema_file, "a file with the JSON schema that it must match");
  group->add_option("--grammar", options.grammar_file, "a file with the grammar (GBNF) that it must match");
  group->add_option("--regex", options.regex, "the regular expression that all of it must match");
  group->require_option(0, 1);
}

Result<std::optional<GrammarSource>> ReadGrammar(const GrammarOptions& options) {
  std::optional<GrammarSource> source;
  std::string name = "--regex";
  if (options.regex) {
    source = GrammarSource{GrammarKind::kRegex, *options.regex};
  } else {
    const bool is_schema = !options.json_schema_file.empty();
    const std::string& path = is_schema ? options.json_schema_file : options.grammar_file;
    if (path.empty()) return source;
    RF_ASSIGN_OR_RETURN(std::string text, ReadTextFile(path));
    source = GrammarSource{is_schema ? GrammarKind::kJsonSchema : GrammarKind::kGbnf, std::move(text)};
    name = EscapeForMessage(path, kMaxShownPath);
  }
  RF_RETURN_IF_ERROR(Check(*source, name));
  return source;
}

Result<std::shared_ptr<const grammar::CompiledGrammar>> CompileGrammar(const ModelSession& session,
                                                                       const std::optional<GrammarSource>& source) {
  if (!source) return std::shared_ptr<const grammar::CompiledGrammar>();
  return session.grammars->Get(*source);
}

}  // namespace rf::app
