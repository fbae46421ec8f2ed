// Finds a worker process that stands still: one that is stopped, and a step that does not end.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "server/supervisor/board.h"

namespace rf::server {

/// Looks at a worker's board at regular times. It counts its own looks, not the time between them, so that it does not
/// blame a worker for the time in which both were suspended.
class Watchdog {
 public:
  static constexpr auto kInterval = std::chrono::milliseconds(250);
  static constexpr auto kSilence = std::chrono::seconds(4);  ///< without a beat

  enum class Verdict : uint8_t {
    kSound,
    kSilent,  ///< no beat for kSilence: the process is stopped, or its event loop hangs
    kStuck,   ///< the running step takes longer than it is allowed to
  };

  /// To be called every kInterval. `expects_beats`: it is serving; while it loads a model its event loop does not run.
  Verdict Look(uint64_t beats, const StepView& step, bool expects_beats);

 private:
  uint64_t beats_ = 0;
  uint64_t step_ = 0;
  int64_t n_silent_ = 0;   // looks since the last beat
  int64_t n_running_ = 0;  // looks at this step
};

}  // namespace rf::server
