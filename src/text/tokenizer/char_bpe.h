// What the kinds of BPE share whose merges join characters: a text begins as its characters, and of all adjacent pairs
// that may be joined the best is joined, the leftmost among equals, until none is left. Characters that are no tokens
// become byte tokens.
//
// Token texts may carry U+2581 for a space. Here all text is kept with the plain space instead.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/join_filter.h"
#include "text/tokenizer/pieces.h"
#include "text/tokenizer/tables.h"

namespace rf {

class CharBpe : public Tokenizer {
 protected:
  /// SpaceSigns::kNone: U+2581 is a character like others, in texts too.
  CharBpe(VocabData data, SpaceSigns signs) : Tokenizer(std::move(data)), signs_(signs) {}

  bool Normalize(std::string_view text, std::string& normalized) const override;
  /// With tables_->add_space_prefix a space goes in front of text at the beginning and behind special tokens.
  void EncodeText(std::string_view text, bool after_special, EncodeScratch& scratch,
                  std::vector<TokenId>& ids) const override;

  /// Fills the pieces and the look-up tables. With `joins_user_defined` merges may lead to user-defined tokens.
  /// REQUIRES: tables_->types is complete.
  void BuildLookup(bool joins_user_defined);
  /// Appends the ids of a text that merges may cross anywhere. It must not lie in scratch.merger.
  void EncodeCharacters(std::string_view text, EncodeScratch& scratch, std::vector<TokenId>& ids) const;
  /// Joins the characters of a segment: merger.symbols holds one for each, without ids, and the closing one.
  virtual void Merge(std::string_view segment, Merger& merger) const = 0;

  std::unique_ptr<StringTable> token_of_;  // text to id, without control, unknown and byte tokens
  JoinFilter joins_;                       // to be filled by the kind: all pairs that Merge may join, at least

 private:
  void AddSpecial(TokenId id);
  void EncodeSegment(std::string_view segment, const char* text_end, EncodeScratch& scratch,
                     std::vector<TokenId>& ids) const;
  void AppendMerged(std::string_view segment, Merger& merger, std::vector<TokenId>& ids) const;
  void AppendBytes(std::string_view character, std::vector<TokenId>& ids) const;

  const SpaceSigns signs_;
  std::array<TokenId, 256> byte_tokens_;   // -1: the vocabulary has none
  std::array<TokenId, 128> ascii_tokens_;  // tokens of one ASCII character, or -1
};

}  // namespace rf
