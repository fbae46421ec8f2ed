// The pieces of SentencePiece vocabularies, whose token texts carry U+2581 for a space.
#pragma once

#include "text/tokenizer/tables.h"

namespace rf {

/// Fills tables.pieces: normal tokens with plain spaces, byte tokens as their byte, nothing for unused ones, others as
/// they are. REQUIRES: tables.types is complete.
void AddSentencePieces(const VocabData& data, TokenizerTables& tables);

}  // namespace rf
