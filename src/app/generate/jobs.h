// What a prompt of `generate` becomes: tokens and how to go on from them.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/generate/generation.h"
#include "app/generate/options.h"
#include "base/result.h"
#include "engine/model_session.h"

namespace rf::app {

/// A prompt's tokens: the text as it is, or with --chat as a user's message (after --system) through the chat template.
/// Errors: those of ModelSession::EncodeChat.
Result<GenerationJob> JobOfText(const ModelSession& session, const GenerateOptions& options, const std::string& text);

/// The same for a conversation. Errors: as above.
Result<GenerationJob> JobOfMessages(const ModelSession& session, const GenerateOptions& options,
                                    nlohmann::ordered_json messages);

/// The same for given tokens.
GenerationJob JobOfTokens(const GenerateOptions& options, std::vector<TokenId> tokens);

}  // namespace rf::app
