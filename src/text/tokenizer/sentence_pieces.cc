#include "text/tokenizer/sentence_pieces.h"

#include <string>

#include "text/tokenizer/space_sign.h"

namespace rf {

void AddSentencePieces(const VocabData& data, TokenizerTables& tables) {
  size_t n_bytes = 0;
  for (const std::string& text : data.tokens) n_bytes += text.size();
  tables.pieces.Reserve(data.tokens.size(), n_bytes);
  std::string replaced;
  for (size_t i = 0; i < data.tokens.size(); ++i) {
    const std::string& text = data.tokens[i];
    switch (tables.types[i]) {
      case TokenType::kNormal: tables.pieces.Add(ReplaceSpaceSigns(text, replaced) ? replaced : text); break;
      case TokenType::kByte: tables.pieces.Add(std::string(1, static_cast<char>(ParseByteToken(text)))); break;
      case TokenType::kUnused:
      case TokenType::kUndefined: tables.pieces.Add({}); break;
      default: tables.pieces.Add(text);
    }
  }
}

}  // namespace rf
