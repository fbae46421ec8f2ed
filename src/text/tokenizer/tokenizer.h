// Text to token ids and back, for every vocabulary kind that GGUF files carry.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/text_span.h"

namespace rf {

using TokenId = int32_t;

/// tokenizer.ggml.token_type of GGUF.
enum class TokenType : int32_t {
  kUndefined = 0,
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6
};

/// What a model file says about its vocabulary, taken over without interpretation. model/ fills it from
/// `tokenizer.ggml.*`.
struct VocabData {
  std::string
      model;  ///< tokenizer.ggml.model: "llama" (SentencePiece BPE), "gpt2" (other BPE), "bert", "t5", "rwkv", …
  std::string pre;  ///< tokenizer.ggml.pre; empty if absent
  std::vector<std::string> tokens;
  std::vector<float> scores;        ///< empty or one for each token
  std::vector<int32_t> types;       ///< empty or one for each token (TokenType)
  std::vector<std::string> merges;  ///< "left right", by rank
  std::optional<TokenId> bos, eos, unk, sep, pad, cls, mask, eot, eom;
  std::vector<TokenId> eog;  ///< further end-of-generation ids named by the file
  std::optional<bool> add_bos, add_eos, add_sep, add_space_prefix, remove_extra_whitespaces;
  std::optional<bool> lowercase, strip_accents;  ///< tokenizer.ggml.normalizer.*, of kinds that cut texts into words
  std::string precompiled_charsmap;              ///< normalization rules of Unigram; empty if none
};

struct EncodeOptions {
  bool add_special = true;     ///< add BOS/EOS as the vocabulary says
  bool parse_special = false;  ///< texts of control tokens become those tokens; false: they are plain text
};

struct DecodeOptions {
  bool remove_special = false;   ///< drop a leading BOS and a trailing EOS that Encode would have added
  bool unparse_special = false;  ///< control tokens as their text instead of nothing
  bool clean_spaces = true;      ///< remove spaces before punctuation where the vocabulary's publisher does so
};

struct EncodeScratch;
struct TokenizerTables;

/// An immutable vocabulary with its algorithm. Safe to use from several threads at once.
class Tokenizer {
 public:
  virtual ~Tokenizer();

  /// Checks the data and builds the tables. An unknown `pre` is a warning that names what it is taken as. Errors:
  /// kUnsupported for an unknown `model`, kCorruptFile for an
  /// inconsistent vocabulary (message names the key and the index).
  static Result<std::unique_ptr<Tokenizer>> Create(VocabData data);

  /// Ids of `text`. Any bytes are taken: where they are not part of well-formed UTF-8, vocabularies with byte tokens
  /// give those, others read U+FFFD for each. Never fails; O(n log n) time.
  std::vector<TokenId> Encode(std::string_view text, const EncodeOptions& options) const;
  /// As above, but where `plain` spans (ascending, disjoint) touch the text of a control token, it is plain text
  /// whatever options.parse_special says. So it is with user-defined tokens that look like control tokens ("<|…|>").
  std::vector<TokenId> Encode(std::string_view text, const EncodeOptions& options,
                              std::span<const TextSpan> plain) const;
  /// Bytes of the ids, as llama_detokenize gives them (leading space of SentencePiece removed). REQUIRES: ids in range.
  std::string Decode(const std::vector<TokenId>& ids, const DecodeOptions& options) const;
  /// Bytes that one token adds to a running output; control tokens give nothing unless unparse_special. Not always
  /// valid UTF-8. REQUIRES: id in range.
  std::string Piece(TokenId id, bool unparse_special = false) const;
  /// As Piece, without a copy; valid as long as the tokenizer is.
  std::string_view PieceView(TokenId id, bool unparse_special = false) const;

  const VocabData& data() const { return data_; }
  int32_t size() const { return static_cast<int32_t>(data_.tokens.size()); }
  bool IsInRange(int64_t id) const { return id >= 0 && id < size(); }
  bool IsControl(TokenId id) const;
  /// End of generation: eos, eot, eom and the tokens that chat models end a turn with.
  bool IsEndOfGeneration(TokenId id) const;
  /// All of those, ascending.
  const std::vector<TokenId>& end_of_generation_ids() const;
  /// Whether Encode with add_special puts data().bos in front, data().eos (WordPiece: data().sep) behind.
  bool adds_bos() const;
  bool adds_eos() const;
  /// Whether Encode puts a space in front of the text, which Decode removes again.
  bool adds_space_prefix() const;

 private:
  bool NormalizeSpans(std::string_view text, std::span<const TextSpan> plain, std::string& normalized,
                      std::vector<TextSpan>& moved) const;
  bool MayBeToken(size_t begin, size_t end, TokenId id, std::span<const TextSpan> plain) const;

 protected:
  explicit Tokenizer(VocabData data);
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  /// Puts `text` into the form that special tokens and EncodeText work on; false: it is in that form already.
  virtual bool Normalize(std::string_view text, std::string& normalized) const = 0;
  /// Appends the ids of normalized text that holds no special token. `after_special`: it stands at the beginning or
  /// behind a special token.
  virtual void EncodeText(std::string_view text, bool after_special, EncodeScratch& scratch,
                          std::vector<TokenId>& ids) const = 0;

  VocabData data_;
  std::unique_ptr<TokenizerTables> tables_;
};

/// Turns a growing sequence of tokens into a growing UTF-8 text: bytes of an unfinished character are held back until
/// they are complete, bytes that can never become valid are replaced by U+FFFD at Finish() or as soon as that is
/// certain. Never loses a byte of valid text. Strips the leading space that SentencePiece adds, when
/// `is_start_of_text`.
class StreamingDecoder {
 public:
  StreamingDecoder(const Tokenizer& tokenizer, bool is_start_of_text, bool unparse_special = false);
  /// The text that `id` makes certain; may be empty.
  std::string Add(TokenId id);
  /// What is still held back, as valid UTF-8.
  std::string Finish();

 private:
  const Tokenizer* tokenizer_;
  bool strip_space_;
  bool unparse_special_;
  std::string pending_;
};

}  // namespace rf
