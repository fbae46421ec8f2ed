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

void WarmUp(const std::shared_ptr<const Vocabulary>& vocabulary) {
  for (const char* schema : {R"({"type": "string"})", R"({"type": "string", "maxLength": 20})"}) {
    const auto grammar = Compile({GrammarKind::kJsonSchema, schema}, vocabulary);
    if (!grammar) continue;
    // The characters of a string may be plain, escaped, or be cut between two tokens.
    for (const char* text : {"\"", "\"\\", "\"\xC3", "\"\xE4", "\"\xE4\xB8"}) {
      Matcher matcher(*grammar);
      if (matcher.AcceptBytes(text)) matcher.TokenMask();
    }
  }
}

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
