#include "text/tokenizer/char_bpe.h"

#include "base/utf8.h"
#include "text/tokenizer/space_sign.h"

namespace rf {

bool CharBpe::Normalize(std::string_view text, std::string& normalized) const {
  return signs_ != SpaceSigns::kNone && ReplaceSpaceSigns(text, normalized);
}

void CharBpe::BuildLookup(bool joins_user_defined) {
  AddPieces(data_, signs_, *tables_);
  token_of_ = std::make_unique<StringTable>(&tables_->pieces, data_.tokens.size());
  byte_tokens_.fill(-1);
  std::vector<TokenId> ordinary;
  const auto n = static_cast<TokenId>(data_.tokens.size());
  for (TokenId id = 0; id < n; ++id) {
    const TokenType type = tables_->types[static_cast<size_t>(id)];
    if (type == TokenType::kNormal || (type == TokenType::kUserDefined && joins_user_defined)) ordinary.push_back(id);
    if (type != TokenType::kNormal) AddSpecial(id);
  }
  token_of_->InsertAll(ordinary);
  for (size_t byte = 0; byte < ascii_tokens_.size(); ++byte) {
    const char text = static_cast<char>(byte);
    ascii_tokens_[byte] = token_of_->Find({&text, 1});
  }
}

void CharBpe::AddSpecial(TokenId id) {
  std::string_view text = data_.tokens[static_cast<size_t>(id)];
  std::string replaced;
  if (Normalize(text, replaced)) text = replaced;
  switch (tables_->types[static_cast<size_t>(id)]) {
    case TokenType::kUserDefined: tables_->user_defined.Add(text, id); [[fallthrough]];
    case TokenType::kControl:
    case TokenType::kUnknown: tables_->all_special.Add(text, id); break;
    case TokenType::kByte: byte_tokens_[static_cast<size_t>(ParseByteToken(text))] = id; break;
    default: break;
  }
}

void CharBpe::EncodeText(std::string_view text, bool after_special, EncodeScratch& scratch,
                         std::vector<TokenId>& ids) const {
  if (after_special && tables_->add_space_prefix) {
    scratch.text.assign(1, ' ');
    scratch.text += text;
    text = scratch.text;
  }
  EncodeCharacters(text, scratch, ids);
}

// No merge ever crosses two characters that no token holds side by side: the text falls apart into segments there.
void CharBpe::EncodeCharacters(std::string_view text, EncodeScratch& scratch, std::vector<TokenId>& ids) const {
  const char* const end = text.data() + text.size();
  auto& symbols = scratch.merger.symbols;
  symbols.clear();
  const char* begin = text.data();
  char32_t previous = JoinFilter::kNoCharacter;
  for (const char* p = begin; p != end;) {
    Utf8Step step{static_cast<uint8_t>(*p), 1, true, false};
    if (step.code_point >= 0x80) step = DecodeUtf8(p, end);
    if (!step.valid) step = {JoinFilter::kNoCharacter, 1, false, false};
    if (p != begin && !joins_.MayJoin(previous, step.code_point)) {
      EncodeSegment({begin, static_cast<size_t>(p - begin)}, end, scratch, ids);
      symbols.clear();
      begin = p;
    }
    symbols.push_back({static_cast<uint32_t>(p - begin), -1});
    previous = step.code_point;
    p += step.length;
  }
  if (begin != end) EncodeSegment({begin, static_cast<size_t>(end - begin)}, end, scratch, ids);
}

void CharBpe::EncodeSegment(std::string_view segment, const char* text_end, EncodeScratch& scratch,
                            std::vector<TokenId>& ids) const {
  const auto first = static_cast<uint8_t>(segment[0]);
  if (segment.size() == 1 && first < 128 && ascii_tokens_[first] >= 0) {
    ids.push_back(ascii_tokens_[first]);
    return;
  }
  scratch.cache.Append(segment.data(), segment.size(), text_end, ids,
                       [&] { AppendMerged(segment, scratch.merger, ids); });
}

void CharBpe::AppendMerged(std::string_view segment, Merger& merger, std::vector<TokenId>& ids) const {
  auto& symbols = merger.symbols;
  symbols.push_back({static_cast<uint32_t>(segment.size()), -1});
  Merge(segment, merger);
  for (size_t i = 0; i + 1 < symbols.size(); ++i) {
    const std::string_view text = segment.substr(symbols[i].begin, symbols[i + 1].begin - symbols[i].begin);
    const TokenId id = symbols[i].id >= 0 ? symbols[i].id : token_of_->Find(text);
    if (id >= 0) {
      ids.push_back(id);
    } else {
      AppendBytes(text, ids);
    }
  }
}

// A character that is no token: its bytes, or one unknown token where the vocabulary lacks one of them.
void CharBpe::AppendBytes(std::string_view character, std::vector<TokenId>& ids) const {
  bool has_all = true;
  for (const char c : character) has_all &= byte_tokens_[static_cast<uint8_t>(c)] >= 0;
  if (!has_all && data_.unk) {
    ids.push_back(*data_.unk);
    return;
  }
  for (const char c : character) {
    const TokenId id = byte_tokens_[static_cast<uint8_t>(c)];
    if (id >= 0) ids.push_back(id);
  }
}

}  // namespace rf
