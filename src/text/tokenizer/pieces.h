// What tokens say: the bytes that each adds to a text.
#pragma once

#include <cstdint>

#include "text/tokenizer/tables.h"

namespace rf {

/// In which token texts U+2581 stands for a space.
enum class SpaceSigns : uint8_t {
  kNone,
  kInNormal,  ///< as SentencePiece decodes them
  kInText     ///< in normal and user-defined ones, as Hugging Face's tokenizers decode them
};

/// Fills tables.pieces: the text of each token, with plain spaces for the signs, byte tokens as their byte, nothing for
/// unused ones. REQUIRES: tables.types is complete.
void AddPieces(const VocabData& data, SpaceSigns signs, TokenizerTables& tables);

}  // namespace rf
