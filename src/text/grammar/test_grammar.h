// What the unit tests of grammars share.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/grammar/compile.h"
#include "text/grammar/matcher.h"

namespace rf::grammar {

/// A vocabulary of one token, for tests of texts.
inline std::shared_ptr<const Vocabulary> AnyVocabulary() {
  static const auto vocabulary = std::make_shared<const Vocabulary>(std::vector<std::string>{"a"});
  return vocabulary;
}

inline std::shared_ptr<const CompiledGrammar> MustCompile(
    GrammarKind kind, std::string text, std::shared_ptr<const Vocabulary> vocabulary = AnyVocabulary()) {
  auto grammar = Compile({kind, std::move(text)}, std::move(vocabulary));
  if (!grammar) throw std::runtime_error(grammar.error().ToString());
  return *grammar;
}

inline bool Matches(const std::shared_ptr<const CompiledGrammar>& grammar, std::string_view text) {
  Matcher matcher(grammar);
  return matcher.AcceptBytes(text) && matcher.IsComplete();
}

inline bool Matches(GrammarKind kind, const std::string& source, std::string_view text) {
  return Matches(MustCompile(kind, source), text);
}

/// "where: message" of the error; empty if there is none.
inline std::string ErrorOf(GrammarKind kind, std::string text) {
  const auto grammar = Compile({kind, std::move(text)}, AnyVocabulary());
  return grammar ? "" : grammar.error().ToString();
}

}  // namespace rf::grammar
