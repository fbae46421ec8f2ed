#include "server/supervisor/step_times.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace rf::server {
namespace {

constexpr double kForget = 0.1;

size_t SizeClass(int64_t n_tokens) {
  return std::min<size_t>(static_cast<size_t>(std::bit_width(static_cast<uint64_t>(n_tokens))) - 1, 31);
}

}  // namespace

void StepTimes::Record(int64_t n_tokens, double seconds) {
  double& known = seconds_[SizeClass(n_tokens)];
  known = std::max(seconds, (1 - kForget) * known + kForget * seconds);
}

double StepTimes::Expected(int64_t n_tokens) const {
  const size_t wanted = SizeClass(n_tokens);
  for (size_t distance = 0; distance <= wanted; ++distance) {
    const double known = seconds_[wanted - distance];
    if (known > 0) return std::ldexp(known, static_cast<int>(distance));
  }
  for (size_t larger = wanted + 1; larger < seconds_.size(); ++larger) {
    if (seconds_[larger] > 0) return seconds_[larger];
  }
  return kUnknownSeconds + kUnknownRowSeconds * static_cast<double>(n_tokens);
}

uint64_t StepTimes::AllowedMs(int64_t n_tokens) const {
  return static_cast<uint64_t>(1000 * std::max(kMinAllowedSeconds, kAllowedFactor * Expected(n_tokens)));
}

}  // namespace rf::server
