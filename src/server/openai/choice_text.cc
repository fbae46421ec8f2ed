#include "server/openai/choice_text.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rf::server {

size_t CountCharacters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool ChoiceText::Add(const GeneratedToken& token, TextPiece& piece) {
  if (wants_tokens_) waiting_.push_back({token, n_decoded_bytes_, n_decoded_characters_});
  const std::string text = Decode(token.id);
  n_decoded_bytes_ += text.size();
  n_decoded_characters_ += CountCharacters(text);
  Take(matcher_.Add(text), piece, /*is_end=*/false);
  return !matcher_.stopped();
}

std::string ChoiceText::Decode(TokenId id) {
  const bool is_shown = shown_controls_ && std::binary_search(shown_controls_->begin(), shown_controls_->end(), id);
  return is_shown ? decoder_.Finish() + tokenizer_->Piece(id, /*unparse_special=*/true) : decoder_.Add(id);
}

void ChoiceText::Finish(TextPiece& piece) {
  if (matcher_.stopped()) return;
  std::string rest = matcher_.Add(decoder_.Finish());
  if (!matcher_.stopped()) rest += matcher_.Finish();
  Take(rest, piece, !matcher_.stopped());
}

void ChoiceText::Take(const std::string& certain, TextPiece& piece, bool is_end) {
  n_certain_bytes_ += certain.size();
  piece.text += certain;
  // A token belongs to the answer when its first byte does; one without bytes of its own waits for the next.
  const auto first_out = std::find_if(waiting_.begin(), waiting_.end(), [&](const TextToken& token) {
    return !is_end && token.byte_offset >= n_certain_bytes_;
  });
  std::move(waiting_.begin(), first_out, std::back_inserter(piece.tokens));
  waiting_.erase(waiting_.begin(), first_out);
}

}  // namespace rf::server
