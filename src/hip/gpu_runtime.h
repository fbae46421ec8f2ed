// One device of a GPU module: who its buffers and streams call, and the one place where the runtime's codes become
// Errors.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hip/gpu_api.h"

namespace rf::hip {

/// What the module's runtime says of a code: "hipErrorLaunchFailure (719), unspecified launch failure".
std::string DescribeCode(const GpuApi& api, int code);

/// Whether a code means that the process has lost its device: whatever the device computes afterwards is worth nothing.
bool IsFatal(int code);

/// May be used from several threads.
class GpuRuntime {
 public:
  /// `name` is that of --device ("hip:0"), for messages.
  GpuRuntime(const GpuApi& api, int32_t device, std::string name);

  const GpuApi& api() const { return api_; }
  int32_t device() const { return device_; }
  const std::string& name() const { return name_; }

  /// The Error for a code that is not 0; `operation` completes "HIP failed at ...". kOutOfMemory for the runtime's code
  /// for that, else kDevice. A fatal code is kept for CheckAlive().
  Error Fail(int code, std::string_view operation);

  /// An Error if a fatal code was seen: nothing may be asked of the device any more.
  Status CheckAlive() const;

  /// Free and total bytes; zeros, and once a warning in the log, if the runtime cannot say.
  struct Memory {
    uint64_t free_bytes = 0;
    uint64_t total_bytes = 0;
  };
  Memory ReadMemory();

  /// Device memory of this program, in bytes.
  void NoteAllocated(uint64_t bytes) { allocated_bytes_ += bytes; }
  void NoteReleased(uint64_t bytes) { allocated_bytes_ -= bytes; }
  void NoteExhausted() { bytes_had_ = static_cast<int64_t>(allocated_bytes_.load()); }
  /// As Device::BytesHadAtFailure(); -1: no allocation has failed.
  int64_t bytes_had() const { return bytes_had_; }

 private:
  const GpuApi& api_;
  const int32_t device_;
  const std::string name_;
  std::atomic<int> fatal_code_{0};
  std::atomic<bool> has_warned_{false};
  std::atomic<uint64_t> allocated_bytes_{0};
  std::atomic<int64_t> bytes_had_{-1};
};

}  // namespace rf::hip
