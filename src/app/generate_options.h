// The flags of `generate`, shared by its two files.
#pragma once

#include <cstdint>
#include <string>

#include "app/generation.h"
#include "app/model_options.h"
#include "base/result.h"
#include "engine/sampler/sampling_params.h"

namespace rf::app {

struct GenerateOptions {
  ModelOptions model;
  SamplingParams sampling;
  std::string prompt;
  std::string prompt_file;
  std::string tokens;
  std::string messages_file;
  std::string system;
  bool has_prompt = false;
  bool chat = false;
  bool parse_special = false;
  bool ignore_eos = false;
  bool json = false;
  bool jsonl = false;
  bool stats = false;
  int32_t n = 512;
  int32_t parallel = 8;
};

/// A prompt's tokens: the text as it is, or with --chat as a user's message (after --system) through the chat template.
/// Errors: those of ModelSession::EncodeChat.
Result<GenerationJob> JobOfText(const ModelSession& session, const GenerateOptions& options, const std::string& text);

/// The same for a conversation. Errors: as above.
Result<GenerationJob> JobOfMessages(const ModelSession& session, const GenerateOptions& options,
                                    nlohmann::ordered_json messages);

/// The same for given tokens.
GenerationJob JobOfTokens(const GenerateOptions& options, std::vector<TokenId> tokens);

/// Reads {"prompt"}, {"tokens"} or {"messages"} lines from standard input, runs up to options.parallel of them at once
/// and prints one object a line, in the order of the input. A line that fails becomes {"line", "id", "error"} and
/// the rest goes on. Errors: reading, writing; a device that fails with nothing running.
Status GenerateLines(ModelSession& session, const GenerateOptions& options);

}  // namespace rf::app
