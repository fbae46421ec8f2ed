// Counts what one rendering uses and stops it at the limits.
#pragma once

#include <fmt/format.h>

#include "base/result.h"
#include "text/template/template.h"

namespace rf::jinja {

/// An error of the rendered template; the position is added where the failing node is known.
inline Error Fail(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message), {}};
}

class Meter {
 public:
  explicit Meter(const TemplateLimits& limits) : limits_(limits) {}

  Status Step(uint64_t n = 1) {
    steps_ += n;
    if (steps_ > limits_.max_steps) return TooManySteps();
    return {};
  }
  /// `bytes` of text or values are looked at: time.
  Status Scan(size_t bytes) { return Step(bytes >> 10); }
  /// `bytes` of text are walked code point by code point.
  Status Walk(size_t bytes) { return Step(bytes >> 8); }
  /// `bytes` of text or values are about to be made: time and memory.
  Status Charge(size_t bytes) {
    if (bytes > limits_.max_memory_bytes - memory_bytes_) return TooMuchMemory();
    memory_bytes_ += bytes;
    return Scan(bytes);
  }
  const TemplateLimits& limits() const { return limits_; }
  uint64_t steps() const { return steps_; }

 private:
  // Apart, so that what is nearly always asked is inlined.
  [[gnu::cold, gnu::noinline]] Error TooManySteps() const {
    return Fail(fmt::format("the template takes more than {} steps", limits_.max_steps));
  }
  [[gnu::cold, gnu::noinline]] Error TooMuchMemory() const {
    return Fail(fmt::format("the template's values need more than {} bytes", limits_.max_memory_bytes));
  }

  TemplateLimits limits_;
  uint64_t steps_ = 0;
  size_t memory_bytes_ = 0;
};

}  // namespace rf::jinja
