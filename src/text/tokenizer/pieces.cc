#include "text/tokenizer/pieces.h"

#include <string>

#include "text/tokenizer/space_sign.h"

namespace rf {
namespace {

bool HasSpaceSigns(TokenType type, SpaceSigns signs) {
  if (type == TokenType::kNormal) return signs != SpaceSigns::kNone;
  return type == TokenType::kUserDefined && signs == SpaceSigns::kInText;
}

}  // namespace

void AddPieces(const VocabData& data, SpaceSigns signs, TokenizerTables& tables) {
  size_t n_bytes = 0;
  for (const std::string& text : data.tokens) n_bytes += text.size();
  tables.pieces.Reserve(data.tokens.size(), n_bytes);
  std::string replaced;
  for (size_t i = 0; i < data.tokens.size(); ++i) {
    const std::string& text = data.tokens[i];
    const TokenType type = tables.types[i];
    switch (type) {
      case TokenType::kByte: tables.pieces.Add(std::string(1, static_cast<char>(ParseByteToken(text)))); break;
      case TokenType::kUnused:
      case TokenType::kUndefined: tables.pieces.Add({}); break;
      default: tables.pieces.Add(HasSpaceSigns(type, signs) && ReplaceSpaceSigns(text, replaced) ? replaced : text);
    }
  }
}

}  // namespace rf
