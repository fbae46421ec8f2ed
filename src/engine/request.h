// What is asked of the engine, and what it tells while it works.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/sampler/sampler.h"
#include "engine/sampler/sampling_params.h"
#include "engine/sampler/token_constraint.h"

namespace rf {

using RequestId = uint64_t;

enum class FinishReason : uint8_t {
  kStop,       ///< a stop token came, or on_token asked for the end
  kLength,     ///< max_tokens or the end of the context was reached
  kCancelled,  ///< Cancel() was called
  kError,      ///< see RequestResult::error
};

/// One generated token. Stop tokens are not reported.
struct GeneratedToken {
  int32_t id = 0;
  float logprob = 0.0f;           ///< natural, of the model's own distribution; only with n_top_logprobs >= 0
  std::vector<TokenLogprob> top;  ///< n_top_logprobs best ones
};

/// How a request ended. Times are in milliseconds of a steady clock.
struct RequestResult {
  FinishReason reason = FinishReason::kStop;
  std::optional<Error> error;
  int32_t n_prompt = 0;     ///< tokens of the prompt
  int32_t n_cached = 0;     ///< of those, taken from the prefix cache
  int32_t n_generated = 0;  ///< tokens sampled, stop token included
  double queue_ms = 0.0;    ///< from Submit() to the first step with it
  double prompt_ms = 0.0;   ///< from there to the first sampled token
  double decode_ms = 0.0;   ///< from there to the last one
};

inline constexpr int32_t kUnlimitedTokens = std::numeric_limits<int32_t>::max();

/// Callbacks are made by the thread that runs Engine::Step(), and must not call the engine.
struct Request {
  std::vector<int32_t> prompt;
  int32_t max_tokens = kUnlimitedTokens;  ///< the end of the context or of the KV cache ends it too; 0: prompt only
  SamplingParams sampling;
  std::vector<int32_t> stop_ids;
  /// What the generated tokens must keep to, for this request alone; null: anything goes.
  std::shared_ptr<TokenConstraint> constraint;
  int32_t n_top_logprobs = -1;  ///< -1: no log-probabilities at all
  uint64_t tag = 0;             ///< what the caller calls it; the engine only passes it on to the runner
  /// Prefixes are shared only between requests with the same salt (one for each API key).
  uint64_t cache_salt = 0;
  bool use_prefix_cache = true;

  /// Called with the logits [n_vocab] after each position of the prompt from logits_from on, in order; the logits after
  /// the prompt's last token come with position prompt.size() - 1. Turns the prefix cache off for this request.
  std::function<void(int32_t position, std::span<const float> logits)> on_logits;
  int32_t logits_from = 0;

  /// Called with each token. False: enough, end with kStop.
  std::function<bool(const GeneratedToken& token)> on_token;
  /// Called once, last, whatever happens after Submit() succeeded.
  std::function<void(const RequestResult& result)> on_finish;
};

}  // namespace rf
