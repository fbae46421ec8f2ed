#include "app/chat/answer.h"

#include <limits>
#include <utility>

#include <fmt/format.h>

#include "app/interrupt.h"
#include "text/tokenizer/tokenizer.h"

namespace rf::app {
namespace {

double Rate(int32_t n_tokens, double ms) {
  return ms > 0.0 ? n_tokens * 1000.0 / ms : 0.0;
}

// Steps until nothing is left; Ctrl-C cancels at the next step.
Status RunEngine(Engine& engine, RequestId id) {
  bool is_cancelled = false;
  while (engine.HasWork()) {
    if (!is_cancelled && InterruptScope::interrupted()) {
      engine.Cancel(id);
      is_cancelled = true;
    }
    RF_RETURN_IF_ERROR(engine.Step());
  }
  return {};
}

}  // namespace

Result<Answer> GenerateAnswer(ModelSession& session, AnswerRequest request, const TextSink& sink) {
  Answer answer;
  StreamingDecoder decoder(*session.tokenizer, /*is_start_of_text=*/true);
  const auto publish = [&](const std::string& piece) {
    answer.text += piece;
    return piece.empty() || sink(piece);
  };
  Request wanted;
  wanted.prompt = std::move(request.prompt);
  wanted.sampling = std::move(request.sampling);
  wanted.max_tokens = request.max_tokens > 0 ? request.max_tokens : std::numeric_limits<int32_t>::max();
  wanted.stop_ids = session.tokenizer->end_of_generation_ids();
  wanted.on_token = [&](const GeneratedToken& token) { return publish(decoder.Add(token.id)); };
  wanted.on_finish = [&](const RequestResult& result) { answer.result = result; };
  RF_ASSIGN_OR_RETURN(const RequestId id, session.engine->Submit(std::move(wanted)));
  RF_RETURN_IF_ERROR(RunEngine(*session.engine, id));
  if (answer.result.error) return *std::move(answer.result.error);
  publish(decoder.Finish());
  return answer;
}

std::string TimingLine(const RequestResult& result) {
  const int32_t n_computed = result.n_prompt - result.n_cached;
  std::string line = fmt::format("[{} prompt tokens", result.n_prompt);
  if (result.n_cached > 0) line += fmt::format(", {} of them cached", result.n_cached);
  line += fmt::format(", {:.1f} tok/s", Rate(n_computed, result.prompt_ms));
  // The first token comes with the prompt: its time is not decoding time.
  if (result.n_generated > 1) {
    line +=
        fmt::format(" · {} tokens, {:.1f} tok/s", result.n_generated, Rate(result.n_generated - 1, result.decode_ms));
  }
  return line + "]";
}

}  // namespace rf::app
