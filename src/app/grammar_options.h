// The flags that say what an answer must look like.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <CLI/App.hpp>

#include "base/result.h"
#include "engine/model_session.h"
#include "text/grammar/compile.h"

namespace rf::app {

struct GrammarOptions {
  std::string json_schema_file;
  std::string grammar_file;
  std::optional<std::string> regex;
};

/// Declares --json-schema FILE, --grammar FILE and --regex R, of which one may be given. `options` must live as long as
/// `command`.
void AddGrammarOptions(CLI::App& command, GrammarOptions& options);

/// What the flags ask for, read and checked, so that a mistake is told before a model is loaded; nothing without flags.
/// Errors: those of reading, and of grammar::Compile() with the file in front of the place.
Result<std::optional<grammar::GrammarSource>> ReadGrammar(const GrammarOptions& options);

/// Compiled for the session's vocabulary; null for nothing. Errors: those of grammar::Compile().
Result<std::shared_ptr<const grammar::CompiledGrammar>> CompileGrammar(
    const ModelSession& session, const std::optional<grammar::GrammarSource>& source);

}  // namespace rf::app
