// How long a step should take, learnt from those before it.
#pragma once

#include <array>
#include <cstdint>

namespace rf::server {

class StepTimes {
 public:
  static constexpr double kMinAllowedSeconds = 10;
  static constexpr double kAllowedFactor = 20;  ///< of what is expected
  /// What the first step of all is expected to take: for each row, and beside that.
  static constexpr double kUnknownRowSeconds = 0.25;
  static constexpr double kUnknownSeconds = 6;

  /// A step of this many rows took so long. Steps are kept by their size's power of two; a longer time counts at once,
  /// shorter ones bit by bit. REQUIRES: n_tokens > 0.
  void Record(int64_t n_tokens, double seconds);

  /// In seconds. Of a size that was not seen yet: as if each row took the time of the next smaller size seen, or as the
  /// next larger one.
  double Expected(int64_t n_tokens) const;

  /// When a step is taken to hang: max(kMinAllowedSeconds, kAllowedFactor * expected), in milliseconds.
  uint64_t AllowedMs(int64_t n_tokens) const;

 private:
  std::array<double, 32> seconds_{};  // by the number's highest bit; 0: not seen
};

}  // namespace rf::server
