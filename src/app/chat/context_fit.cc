#include "app/chat/context_fit.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace rf::app {

int32_t AnswerReserve(int32_t context_length) {
  return std::min(context_length / 4, 1024);
}

Result<FittedPrompt> FitIntoContext(Conversation& conversation, int32_t context_length,
                                    const EncodeConversation& encode) {
  Conversation shorter = conversation;
  FittedPrompt prompt;
  RF_ASSIGN_OR_RETURN(prompt.tokens, encode(shorter));
  const auto size = [&prompt] { return static_cast<int64_t>(prompt.tokens.size()); };
  if (size() > context_length - AnswerReserve(context_length)) {
    while (size() > context_length / 2 && shorter.DropOldestTurn()) {
      ++prompt.n_dropped_turns;
      RF_ASSIGN_OR_RETURN(prompt.tokens, encode(shorter));
    }
  }
  if (size() >= context_length) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the message makes a prompt of {} tokens, but the context has {}; shorten it, or start "
                             "with a larger --ctx",
                             size(), context_length),
                 ""};
  }
  conversation = std::move(shorter);
  return prompt;
}

}  // namespace rf::app
