// One request on its way through the engine.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "engine/request.h"
#include "engine/sampler/sampler.h"
#include "kv/kv_manager.h"

namespace rf {

using TimePoint = std::chrono::steady_clock::time_point;

/// Bookkeeping of one request. The scheduler moves `n_computed` and `table`, the engine the rest.
struct Sequence {
  Sequence(RequestId sequence_id, Request sequence_request, TimePoint now)
      : id(sequence_id),
        request(std::move(sequence_request)),
        sampler(request.sampling, request.prompt),
        tokens(request.prompt),
        n_prompt(static_cast<int32_t>(request.prompt.size())),
        next_logits(request.logits_from),
        submitted(now) {}

  RequestId id;
  Request request;
  Sampler sampler;
  std::vector<int32_t> tokens;  ///< prompt and generated tokens
  int32_t n_prompt;
  int32_t n_computed = 0;  ///< leading tokens whose keys and values are in the cache
  int32_t n_cached = 0;    ///< of the prompt, taken from other sequences at the first admission
  int32_t next_logits;     ///< first position of the prompt whose logits on_logits has yet to see
  int32_t n_sampled = 0;   ///< tokens sampled, a stop token included
  PageTable table;

  bool is_cancelled = false;
  bool was_admitted = false;
  TimePoint submitted;
  TimePoint first_step{};
  TimePoint first_token{};
  TimePoint last_token{};

  int32_t size() const { return static_cast<int32_t>(tokens.size()); }
  int32_t n_generated() const { return size() - n_prompt; }
  /// Tokens that must go through the model before the next one can be sampled.
  int32_t n_pending() const { return size() - n_computed; }
  /// One new token, as opposed to a piece of a prompt (or of what was computed before a preemption).
  bool is_decoding() const { return n_pending() == 1 && n_generated() > 0; }
  bool wants_prompt_logits() const { return request.on_logits != nullptr; }
};

}  // namespace rf
