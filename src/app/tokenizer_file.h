// The tokenizer of a model's file, without the model.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "text/tokenizer/tokenizer.h"

namespace rf::app {

/// The tokenizer of a GGUF file (a vocabulary-only one will do) or of a model's name. Errors: those of ResolveModel, of
/// reading the file and of its vocabulary.
Result<std::unique_ptr<Tokenizer>> OpenTokenizer(const std::string& model);

}  // namespace rf::app
