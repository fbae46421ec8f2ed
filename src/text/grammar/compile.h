// The ways to say what a text must look like, and the one way to compile them.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "text/grammar/matcher.h"
#include "text/grammar/vocabulary.h"

namespace rf::grammar {

enum class GrammarKind {
  kGbnf,
  kJsonSchema,
  kJsonObject,  ///< any JSON object; no text
  kRegex,       ///< must match the whole text
};

struct GrammarSource {
  GrammarKind kind = GrammarKind::kGbnf;
  std::string text;
  auto operator<=>(const GrammarSource&) const = default;  // NOLINT(modernize-use-nullptr): the compiler writes the 0
};

/// Takes at most some 100 ms. Errors: those of ParseGbnf, CompileJsonSchema, ParseRegex and Automaton::Compile.
Result<std::shared_ptr<const CompiledGrammar>> Compile(const GrammarSource& source,
                                                       std::shared_ptr<const Vocabulary> vocabulary);

/// Computes what nearly all JSON needs (the masks inside of strings), so that no request waits for it: some ms.
void WarmUp(const std::shared_ptr<const Vocabulary>& vocabulary);

}  // namespace rf::grammar
