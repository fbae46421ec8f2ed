// When a worker process that ended is started anew, and when no longer.
#pragma once

#include <chrono>
#include <deque>
#include <optional>

namespace rf::server {

/// After delays of 0, 1, 2 and 4 s; kMaxDeaths within kWindow end it. Deaths before that are forgotten.
class RestartPolicy {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr int kMaxDeaths = 5;
  static constexpr auto kWindow = std::chrono::minutes(10);

  /// How long to wait before the next start; nothing: give up.
  std::optional<std::chrono::seconds> OnDeath(Clock::time_point now);

  /// Deaths in the window that ended with the last one.
  int n_deaths() const { return static_cast<int>(deaths_.size()); }

 private:
  std::deque<Clock::time_point> deaths_;
};

}  // namespace rf::server
