// Faults on demand, for tests of what happens when a worker process fails.
#pragma once

#include <cstdint>
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

/// Reads "kind[,step=N][,token=N][,worker=N]", kind one of kill, crash, stop, hang, lost, oom. Errors:
/// kInvalidArgument.
Result<Fault> ParseFault(std::string_view text);

/// Does it. Returns, if at all, with the error that the step is to fail with.
Error Commit(const Fault& fault);

}  // namespace rf::server
