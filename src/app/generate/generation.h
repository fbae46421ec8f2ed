// One generation as `generate` runs it: what is asked, the request to the engine, what came of it, its JSON.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/model_session.h"
#include "engine/request.h"
#include "engine/sampler/sampling_params.h"
#include "text/tokenizer/tokenizer.h"

namespace rf::app {

/// What is asked.
struct GenerationJob {
  std::vector<TokenId> prompt;
  SamplingParams sampling;
  int32_t max_tokens = 0;
  bool is_chat = false;  ///< the text starts an answer; otherwise it goes on with the prompt's
  std::shared_ptr<const grammar::CompiledGrammar> grammar;  ///< that the answer must match; null: none
  bool ignore_eos = false;                                  ///< end-of-generation tokens are taken like any other
};

/// What came of it, filled while the engine steps.
struct Generation {
  Generation(const Tokenizer& tokenizer, const GenerationJob& job)
      : prompt_ids(job.prompt), decoder(tokenizer, job.is_chat && !job.grammar) {}

  std::vector<TokenId> prompt_ids;
  std::vector<TokenId> ids;  ///< without the final end-of-generation token
  std::string text;          ///< of the ids, valid UTF-8
  StreamingDecoder decoder;  ///< leaves a grammar's text as it is, a space at its beginning included
  RequestResult result;
  bool is_finished = false;
};

/// Told text as soon as it is certain. False: enough.
using TextSink = std::function<bool(std::string_view text)>;

/// A request whose callbacks fill `generation`. `sink` may be empty.
Request MakeRequest(const ModelSession& session, const GenerationJob& job,
                    const std::shared_ptr<Generation>& generation, const TextSink& sink);

/// Runs one job alone, as RunRequest() does. `sink` and `is_cancelled` may be empty.
Result<std::shared_ptr<Generation>> Generate(ModelSession& session, const GenerationJob& job, const TextSink& sink,
                                             const std::function<bool()>& is_cancelled = {});

/// {"prompt_ids", "ids", "text", "finish_reason", "timings"}.
nlohmann::ordered_json ToJson(const Generation& generation);

/// For people: "prompt 12 tokens, 340.1 tok/s; answer 64 tokens, 80.2 tok/s".
std::string DescribeTimings(const RequestResult& result);

}  // namespace rf::app
