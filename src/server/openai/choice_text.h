// From one choice's tokens to the text and the log-probabilities that a client gets.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/request.h"
#include "server/openai/stop_matcher.h"
#include "text/tokenizer/tokenizer.h"

namespace rf::server {

/// A token with where its text begins in the choice's text.
struct TextToken {
  GeneratedToken token;
  size_t byte_offset = 0;
  size_t character_offset = 0;  ///< in code points
};

/// Text that is certain, and the tokens whose text has begun to be.
struct TextPiece {
  std::string text;
  std::vector<TextToken> tokens;  ///< only if log-probabilities are wanted
};

/// Number of code points of well-formed UTF-8.
size_t CountCharacters(std::string_view text);

/// Decodes to whole characters and cuts at stop strings.
class ChoiceText {
 public:
  /// `is_start_of_text`: drop the space that SentencePiece puts in front. REQUIRES: `tokenizer` outlives this.
  ChoiceText(const Tokenizer& tokenizer, bool is_start_of_text, std::vector<std::string> stops, bool wants_tokens)
      : tokenizer_(&tokenizer),
        decoder_(tokenizer, is_start_of_text),
        matcher_(std::move(stops)),
        wants_tokens_(wants_tokens) {}

  /// Control tokens (ascending; null for none) whose text is part of the answer, because a reader behind this needs it.
  void ShowControls(std::shared_ptr<const std::vector<TokenId>> ids) { shown_controls_ = std::move(ids); }

  /// Takes the next token and appends what it makes certain. False: a stop string came; nothing is to follow.
  bool Add(const GeneratedToken& token, TextPiece& piece);
  /// Appends what is left when the tokens have ended.
  void Finish(TextPiece& piece);
  bool stopped() const { return matcher_.stopped(); }

 private:
  void Take(const std::string& certain, TextPiece& piece, bool is_end);

  std::string Decode(TokenId id);

  const Tokenizer* tokenizer_;
  StreamingDecoder decoder_;
  StopMatcher matcher_;
  bool wants_tokens_;
  size_t n_decoded_bytes_ = 0;
  size_t n_decoded_characters_ = 0;
  size_t n_certain_bytes_ = 0;
  std::vector<TextToken> waiting_;
  std::shared_ptr<const std::vector<TokenId>> shown_controls_;
};

}  // namespace rf::server
