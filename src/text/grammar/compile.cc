#include "text/grammar/compile.h"

#include "text/grammar/gbnf.h"
#include "text/grammar/regex.h"
#include "text/grammar/schema.h"

namespace rf::grammar {
namespace {

Result<std::shared_ptr<const Automaton>> CompileRegex(const std::string& pattern) {
  Grammar grammar;
  RF_ASSIGN_OR_RETURN(const ExprId body, ParseRegex(pattern, RegexStyle::kText, grammar));
  grammar.root = grammar.AddRule("root", body);
  return Automaton::Compile(grammar);
}

Result<std::shared_ptr<const Automaton>> CompileSource(const GrammarSource& source) {
  switch (source.kind) {
    case GrammarKind::kJsonSchema: return CompileJsonSchema(source.text);
    case GrammarKind::kJsonObject: return CompileAnyJsonObject();
    case GrammarKind::kRegex: return CompileRegex(source.text);
    case GrammarKind::kGbnf: break;
  }
  RF_ASSIGN_OR_RETURN(const Grammar grammar, ParseGbnf(source.text));
  return Automaton::Compile(grammar);
}

}  // namespace

Result<std::shared_ptr<const CompiledGrammar>> Compile(const GrammarSource& source,
                                                       std::shared_ptr<const Vocabulary> vocabulary) {
  RF_ASSIGN_OR_RETURN(auto automaton, CompileSource(source));
  auto compiled = std::make_shared<const CompiledGrammar>(std::move(automaton), std::move(vocabulary));
  if (Matcher(compiled).is_dead()) {
    return Error{ErrorCode::kInvalidArgument, "too many alternatives at the beginning of the text", ""};
  }
  return compiled;
}

}  // namespace rf::grammar
