// The engine on a thread of its own, for callers on other threads.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"

namespace rf {

/// Owns the engine and the one thread that touches it. All members may be called from any thread, except from a
/// request's callbacks (those run on the engine's thread). Callbacks must be quick: everything waits for them.
class EngineThread {
 public:
  explicit EngineThread(std::unique_ptr<Engine> engine);
  /// Cancels what is left, waits for its callbacks, ends the thread.
  ~EngineThread();

  /// As Engine::Submit(), at once: the answer does not wait for a step.
  Result<RequestId> Submit(Request request);
  /// As Submit() for requests that belong together: all are taken, or none. Their ids are in the same order. Errors:
  /// those of CheckRequest() for any of them, kBusy of CheckQueue() for all together.
  Result<std::vector<RequestId>> SubmitAll(std::vector<Request> requests);
  /// As Engine::Cancel(): takes effect before the next step.
  void Cancel(RequestId id);
  /// As of the end of the last step.
  EngineStats stats() const;
  /// Success, or the last step's error if it failed. Never waits.
  Status health() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rf
