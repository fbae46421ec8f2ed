// Where the time of a plan's steps goes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "plan/step_work.h"

namespace rf {

/// What was measured of all ops of a name that run by the same kernel.
struct ProfileEntry {
  int64_t n_calls = 0;
  double seconds = 0.0;
  StepWork work;
};

/// Filled by a plan's parts, while it is on; what is between two ops counts to the second.
class Profile {
 public:
  void SetOn(bool is_on) { is_on_ = is_on; }

  /// Device ("hip:0"), op ("rope, kv_store": both by one kernel), kernel.
  using Key = std::tuple<std::string, std::string, std::string>;

  void Add(std::string_view device, std::string_view op, std::string_view kernel, double seconds,
           const StepWork& work) {
    if (!is_on_) return;
    ProfileEntry& entry = entries_[Key(device, op, kernel)];
    ++entry.n_calls;
    entry.seconds += seconds;
    entry.work += work;
  }
  void Clear() { entries_.clear(); }
  const std::map<Key, ProfileEntry>& entries() const { return entries_; }

 private:
  std::map<Key, ProfileEntry> entries_;
  bool is_on_ = false;
};

}  // namespace rf
