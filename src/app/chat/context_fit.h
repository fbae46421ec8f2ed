// Keeps a growing conversation inside the model's context.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "app/chat/conversation.h"
#include "base/result.h"

namespace rf::app {

/// The prompt of a conversation as tokens.
using EncodeConversation = std::function<Result<std::vector<int32_t>>(const Conversation&)>;

struct FittedPrompt {
  std::vector<int32_t> tokens;
  int n_dropped_turns = 0;
};

/// Positions that a prompt leaves for the answer: a quarter of the context, at most 1,024.
int32_t AnswerReserve(int32_t context_length);

/// The prompt, after dropping the oldest turns if it leaves less than AnswerReserve(). Once something has to go, enough
/// goes that the prompt fills no more than half of the context: the next turns then fit, and find their prefix in the
/// cache. The system message and the last turn stay. Errors: kInvalidArgument with the numbers if these alone are too
/// long; those of `encode`. On an error the conversation is as it was.
Result<FittedPrompt> FitIntoContext(Conversation& conversation, int32_t context_length,
                                    const EncodeConversation& encode);

}  // namespace rf::app
