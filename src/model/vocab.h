// The vocabulary of a model file, as text/tokenizer wants it.
#pragma once

#include "base/result.h"
#include "gguf/reader.h"
#include "text/tokenizer/tokenizer.h"

namespace rf {

/// Reads `tokenizer.ggml.*`. Consistency is checked by Tokenizer::Create.
/// Errors: kCorruptFile for missing keys and wrong types.
Result<VocabData> ReadVocab(const GgufFile& file);

}  // namespace rf
