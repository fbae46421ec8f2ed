// One answer of the model, from prompt to text.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/model_session.h"

namespace rf::app {

struct AnswerRequest {
  std::vector<int32_t> prompt;
  SamplingParams sampling;
  int32_t max_tokens = 0;  ///< 0: as many as the context has room for
};

struct Answer {
  std::string text;      ///< without the token that ended it
  RequestResult result;  ///< kCancelled if Ctrl-C came in an InterruptScope
};

/// Called with each piece of valid UTF-8. False: nobody reads it, stop.
using TextSink = std::function<bool(std::string_view)>;

/// Runs the engine until the answer is complete. Errors: those of Engine::Submit and Step, and the request's own.
Result<Answer> GenerateAnswer(ModelSession& session, AnswerRequest request, const TextSink& sink);

/// "[31 prompt tokens, 410.2 tok/s · 58 tokens, 96.1 tok/s]".
std::string TimingLine(const RequestResult& result);

}  // namespace rf::app
