// Files in memory behind the system call table, and system calls that fail on demand.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/syscalls.h"

namespace rf {

/// Regular files in memory. Open descriptors and mappings keep pointing at the file's current bytes; not for several
/// threads at once.
class MemoryFiles {
 public:
  MemoryFiles();
  MemoryFiles(const MemoryFiles&) = delete;
  MemoryFiles& operator=(const MemoryFiles&) = delete;

  /// Adds or replaces. `bytes` is not copied: it must live as long as this object or until it is replaced.
  void Put(const std::string& path, std::string_view bytes) { files_[path] = bytes; }
  void Remove(const std::string& path) { files_.erase(path); }
  const Syscalls& syscalls() const { return syscalls_; }
  /// Descriptors and mappings that are open now.
  int n_open() const { return static_cast<int>(open_.size()) + n_mapped_; }

 private:
  void Install();

  std::map<std::string, std::string_view> files_;
  std::map<int, std::string> open_;
  int next_fd_ = 1000;
  int n_mapped_ = 0;
  Syscalls syscalls_;
};

/// What FaultyCalls does to the calls of the table beneath.
struct FaultPlan {
  int fail_at = -1;             ///< index of the first call (of any kind that can fail) that fails; -1: none
  int n_failures = 1;           ///< how many calls in a row from then on
  int error_number = 5;         ///< EIO
  size_t max_bytes = SIZE_MAX;  ///< reads and writes do at most this much
  int n_calls = 0;              ///< counted here
};

/// `base` with the plan's faults; close and unmap never fail. Both arguments must outlive the result.
Syscalls FaultyCalls(const Syscalls& base, FaultPlan& plan);

}  // namespace rf
