// The two kinds of BPE with ranked merges.
#pragma once

#include <memory>

#include "text/tokenizer/pre_tokenizer.h"
#include "text/tokenizer/tokenizer.h"

namespace rf {

/// Merges of bytes: byte_bpe.cc. REQUIRES: pre.symbols == BpeSymbols::kBytes; `pre` outlives the tokenizer.
std::unique_ptr<Tokenizer> CreateByteBpe(VocabData data, const PreTokenizer& pre);
/// Merges of characters: raw_bpe.cc. REQUIRES: pre.symbols != BpeSymbols::kBytes; `pre` outlives the tokenizer.
std::unique_ptr<Tokenizer> CreateRawBpe(VocabData data, const PreTokenizer& pre);

}  // namespace rf
