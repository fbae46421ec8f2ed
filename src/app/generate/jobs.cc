#include "app/generate/jobs.h"

#include <utility>

namespace rf::app {
namespace {

using nlohmann::ordered_json;

GenerationJob EmptyJob(const GenerateOptions& options) {
  GenerationJob job;
  job.sampling = options.sampling;
  job.max_tokens = options.n;
  job.ignore_eos = options.ignore_eos;
  job.grammar = options.grammar;
  return job;
}

}  // namespace

GenerationJob JobOfTokens(const GenerateOptions& options, std::vector<TokenId> tokens) {
  GenerationJob job = EmptyJob(options);
  job.prompt = std::move(tokens);
  return job;
}

Result<GenerationJob> JobOfMessages(const ModelSession& session, const GenerateOptions& options,
                                    ordered_json messages) {
  GenerationJob job = EmptyJob(options);
  job.is_chat = true;
  ChatTemplateInput input;
  input.messages = std::move(messages);
  RF_ASSIGN_OR_RETURN(job.prompt, session.EncodeChat(input));
  return job;
}

Result<GenerationJob> JobOfText(const ModelSession& session, const GenerateOptions& options, const std::string& text) {
  if (options.chat) {
    ordered_json messages = ordered_json::array();
    if (!options.system.empty()) messages.push_back({{"role", "system"}, {"content", options.system}});
    messages.push_back({{"role", "user"}, {"content", text}});
    return JobOfMessages(session, options, std::move(messages));
  }
  GenerationJob job = EmptyJob(options);
  job.prompt = session.tokenizer->Encode(text, {.add_special = true, .parse_special = options.parse_special});
  return job;
}

}  // namespace rf::app
