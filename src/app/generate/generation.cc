#include "app/generate/generation.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "app/run_request.h"
#include "engine/sampler/dry_breakers.h"

namespace rf::app {
namespace {

std::string_view FinishName(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop: return "stop";
    case FinishReason::kLength: return "length";
    case FinishReason::kCancelled: return "cancelled";
    case FinishReason::kError: return "error";
  }
  return "error";
}

// Adds text that has become certain; false: the sink has enough.
bool AddText(Generation& generation, const TextSink& sink, const std::string& text) {
  generation.text += text;
  return text.empty() || !sink || sink(text);
}

double PerSecond(int32_t n_tokens, double ms) {
  return ms > 0.0 ? n_tokens * 1000.0 / ms : 0.0;
}

// Tokens that decode_ms was spent on: the first one comes out of the prompt's last step.
int32_t DecodedTokens(const RequestResult& result) {
  return std::max(result.n_generated - 1, 0);
}

}  // namespace

Request MakeRequest(const ModelSession& session, const GenerationJob& job,
                    const std::shared_ptr<Generation>& generation, const TextSink& sink) {
  Request request;
  request.prompt = job.prompt;
  request.max_tokens = job.max_tokens;
  request.sampling = job.sampling;
  ResolveDryBreakers(*session.tokenizer, request.sampling);
  if (!job.ignore_eos) request.stop_ids = session.tokenizer->end_of_generation_ids();
  if (job.grammar) {
    request.constraint = std::make_shared<GrammarConstraint>(job.grammar, *session.tokenizer, request.stop_ids);
  }
  request.on_token = [generation, sink](const GeneratedToken& token) {
    generation->ids.push_back(token.id);
    return AddText(*generation, sink, generation->decoder.Add(token.id));
  };
  request.on_finish = [generation, sink](const RequestResult& result) {
    AddText(*generation, sink, generation->decoder.Finish());
    generation->result = result;
    generation->is_finished = true;
  };
  return request;
}

Result<std::shared_ptr<Generation>> Generate(ModelSession& session, const GenerationJob& job, const TextSink& sink,
                                             const std::function<bool()>& is_cancelled) {
  auto generation = std::make_shared<Generation>(*session.tokenizer, job);
  RF_RETURN_IF_ERROR(RunRequest(*session.engine, MakeRequest(session, job, generation, sink), is_cancelled));
  return generation;
}

nlohmann::ordered_json ToJson(const Generation& generation) {
  const RequestResult& result = generation.result;
  return {{"prompt_ids", generation.prompt_ids},
          {"ids", generation.ids},
          {"text", generation.text},
          {"finish_reason", FinishName(result.reason)},
          {"timings",
           {{"prompt_tokens", result.n_prompt},
            {"cached_tokens", result.n_cached},
            {"queue_ms", result.queue_ms},
            {"prompt_ms", result.prompt_ms},
            {"decode_tokens", DecodedTokens(result)},
            {"decode_ms", result.decode_ms}}}};
}

std::string DescribeTimings(const RequestResult& result) {
  const int32_t n_computed = result.n_prompt - result.n_cached;
  std::string text = fmt::format("prompt {} tokens", result.n_prompt);
  if (result.n_cached > 0) text += fmt::format(" ({} from the cache)", result.n_cached);
  text += fmt::format(", {:.1f} tok/s; answer {} tokens, {:.1f} tok/s", PerSecond(n_computed, result.prompt_ms),
                      result.n_generated, PerSecond(DecodedTokens(result), result.decode_ms));
  return text;
}

}  // namespace rf::app
