// Faults on demand, for tests of what happens when a worker process fails.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"

namespace rf::server {

enum class FaultKind : uint8_t {
  kKill,         ///< SIGKILL
  kCrash,        ///< SIGSEGV
  kStop,         ///< SIGSTOP
  kHang,         ///< the step never ends
  kLost,         ///< the step fails as on a lost device
  kGpuWrite,     ///< a kernel of the GPU writes where nothing is; then the step runs, if it can
  kGpuHang,      ///< a kernel of the GPU never ends
  kOutOfMemory,  ///< the step fails for want of memory
};

/// What goes wrong, and at which step.
struct Fault {
  FaultKind kind = FaultKind::kKill;
  uint64_t step = 0;             ///< that of this number, from 1; 0: each
  std::optional<int32_t> token;  ///< only a step that computes this token
  uint64_t worker = 0;           ///< only in the worker of this number, from 1; 0: in each

  bool Hits(uint64_t step_number, std::span<const int32_t> tokens) const;
};

/// Reads "kind[,step=N][,token=N][,worker=N]", kind one of kill, crash, stop, hang, lost, oom, gpu-write,
/// gpu-hang. Errors:
/// kInvalidArgument.
Result<Fault> ParseFault(std::string_view text);

/// What kGpuWrite and kGpuHang do; true: it hangs.
using FailGpu = std::function<Status(bool never_ends)>;

/// Does it. Returns, if at all, with the error that the step is to fail with, or success: the step is to run.
Status Commit(const Fault& fault, const FailGpu& fail_gpu);

}  // namespace rf::server
