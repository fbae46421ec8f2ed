// What all tokenizer kinds keep besides their algorithm, and how kinds are listed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "text/tokenizer/scratch.h"
#include "text/tokenizer/special_matcher.h"
#include "text/tokenizer/string_table.h"
#include "text/tokenizer/tokenizer.h"

namespace rf {

struct TokenizerTables {
  PieceTable pieces;               ///< by id: the bytes that Decode gives; for control and unknown tokens their text
  std::vector<TokenType> types;    ///< by id, complete, after corrections (see ResolveTypes)
  std::vector<bool> strips_right;  ///< by id: white space behind this special token belongs to it; may be empty
  std::vector<TokenId> end_of_generation;
  SpecialMatcher user_defined;  ///< tokens that are found in any text
  SpecialMatcher all_special;   ///< those and the control and unknown tokens
  /// Without parse_special a user-defined token is a piece of the text like others, as in sentencepiece: the space
  /// prefix goes in front of it, none behind it. (With parse_special it separates texts, as Hugging Face's do.)
  bool user_defined_is_text = false;
  std::optional<TokenId> first, last;  ///< what add_special puts around the text
  bool add_space_prefix = false, clean_spaces = false;
  ScratchPool scratch;
};

/// The types of all tokens: kNormal where the file has none; tokens whose text is that of a well-known end of turn
/// become control tokens, since a model that ends its turns with an ordinary word would never stop.
std::vector<TokenType> ResolveTypes(const VocabData& data);

/// Ids that end a generation: those the file names and those whose text is a well-known one. Ascending.
std::vector<TokenId> FindEndOfGeneration(const VocabData& data, const std::vector<TokenType>& types);

/// The checks that hold for every kind: sizes, ids in range, scores, lengths, byte tokens. Errors: kCorruptFile.
Status CheckVocab(const VocabData& data);

/// Whether a token is looked for in texts by the kinds that walk a trie: longer ones would make the walk quadratic, and
/// no published vocabulary has them.
inline bool IsMatchable(std::string_view text) {
  constexpr size_t kMaxBytes = 1024;
  return text.size() <= kMaxBytes;
}

/// The byte that `<0x00>` to `<0xFF>` stand for, -1 for any other text.
int ParseByteToken(std::string_view text);

/// SentencePiece's BPE ("llama"): spm.cc.
Result<std::unique_ptr<Tokenizer>> CreateSpm(VocabData data);
/// BPE with ranked merges ("gpt2", "gemma4", "whitespace"): bpe.cc.
Result<std::unique_ptr<Tokenizer>> CreateBpe(VocabData data);
/// WordPiece ("bert"): wordpiece.cc.
Result<std::unique_ptr<Tokenizer>> CreateWordPiece(VocabData data);
/// SentencePiece's Unigram ("t5"): unigram.cc.
Result<std::unique_ptr<Tokenizer>> CreateUnigram(VocabData data);
/// RWKV World ("rwkv"): rwkv.cc.
Result<std::unique_ptr<Tokenizer>> CreateRwkv(VocabData data);
/// PLaMo 2 ("plamo2"): plamo2.cc.
Result<std::unique_ptr<Tokenizer>> CreatePlamo2(VocabData data);

}  // namespace rf
