// The engine: continuous batching of many sequences over one runner.
//
// One thread owns it. Each Step() schedules a ragged batch (decodes first, then chunks of prompts), runs it, samples
// and publishes. What a request's tokens are does not depend on what else is in the batch.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/request.h"
#include "engine/runner.h"
#include "engine/scheduler.h"

namespace rf {

struct EngineOptions {
  int32_t context_length = 0;    ///< positions of one sequence at most; REQUIRES: > 0
  int32_t prefill_chunk = 512;   ///< prompt tokens of one step at most
  int32_t max_queue = 512;       ///< waiting requests at most
  int64_t max_queue_tokens = 0;  ///< prompt tokens of waiting requests at most; 0: four contexts
  bool use_prefix_cache = true;
  /// Steady time; replaced in tests.
  std::function<std::chrono::steady_clock::time_point()> clock = std::chrono::steady_clock::now;
};

struct EngineStats {
  int32_t n_running = 0;
  int32_t n_waiting = 0;
  int64_t n_waiting_tokens = 0;  ///< tokens that waiting requests will have to compute
  int32_t n_pages = 0;
  int32_t n_free_pages = 0;  ///< free or only kept for reuse
  uint64_t n_steps = 0;
  uint64_t n_prompt_tokens = 0;  ///< computed, not taken from the cache
  uint64_t n_cached_tokens = 0;
  uint64_t n_generated_tokens = 0;
  uint64_t n_preemptions = 0;
};

/// What Engine::Submit() wants of a request. Errors: kInvalidArgument, `where` names the field.
Status CheckRequest(const Request& request, const RunnerLimits& limits, const EngineOptions& options);

/// Whether an engine with these statistics takes all of the requests, which come together. If none waits it does,
/// however many they are: their number is the caller's to bound. Otherwise they have to fit: max_queue requests beside
/// those that can start at once, max_queue_tokens tokens. Errors: kBusy with the numbers.
Status CheckQueue(std::span<const Request> requests, const EngineStats& stats, const RunnerLimits& limits,
                  const EngineOptions& options);

class Engine {
 public:
  /// REQUIRES: the options fit the runner's limits.
  Engine(std::unique_ptr<Runner> runner, const EngineOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Puts a request into the queue. Errors: kInvalidArgument (empty prompt, a token outside the vocabulary, sampling
  /// parameters, a prompt that does not fit the context or the KV cache, with the numbers), kBusy (queue full).
  Result<RequestId> Submit(Request request);

  /// As Submit() for a request that CheckRequest() has passed and that is let in whatever the queue's length.
  RequestId Enqueue(Request request);

  /// Ends a request with kCancelled at the next Step(). Unknown ids are ignored: it may just have finished.
  void Cancel(RequestId id);

  /// Whether Step() has anything to do.
  bool HasWork() const;

  /// Schedules, runs, samples, publishes. Errors: a device error, after which every request of the batch has ended with
  /// it; the engine can go on with others.
  Status Step();

  /// Steps until nothing is left. Stops at the first error.
  Status RunToCompletion();

  EngineStats stats() const;
  const EngineOptions& options() const { return options_; }
  const RunnerLimits& limits() const { return runner_->limits(); }

 private:
  struct Impl;
  std::unique_ptr<Runner> runner_;
  EngineOptions options_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rf
