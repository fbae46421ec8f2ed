#include "base/utf8.h"
#include "text/tokenizer/tokenizer.h"

namespace rf {

StreamingDecoder::StreamingDecoder(const Tokenizer& tokenizer, bool is_start_of_text, bool unparse_special)
    : tokenizer_(&tokenizer),
      strip_space_(is_start_of_text && tokenizer.adds_space_prefix()),
      unparse_special_(unparse_special) {}

std::string StreamingDecoder::Add(TokenId id) {
  std::string_view piece = tokenizer_->PieceView(id, unparse_special_);
  if (strip_space_ && !piece.empty() && piece.front() == ' ') piece.remove_prefix(1);
  strip_space_ = false;
  pending_ += piece;
  std::string_view rest = pending_;
  std::string text;
  while (!rest.empty()) {
    const size_t valid = ValidUtf8Prefix(rest);
    text += rest.substr(0, valid);
    rest.remove_prefix(valid);
    if (rest.empty()) break;
    const Utf8Step step = DecodeUtf8(rest.data(), rest.data() + rest.size());
    if (step.truncated) break;
    text += kReplacementUtf8;
    rest.remove_prefix(step.length);
  }
  pending_.erase(0, pending_.size() - rest.size());
  return text;
}

std::string StreamingDecoder::Finish() {
  std::string text = ReplaceInvalidUtf8(pending_);
  pending_.clear();
  return text;
}

}  // namespace rf
