#include "app/exit_code.h"

namespace rf::app {

int ExitCode(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument: return kExitUsage;
    case ErrorCode::kCorruptFile:
    case ErrorCode::kUnsupported: return 3;
    case ErrorCode::kDevice: return 4;
    case ErrorCode::kOutOfMemory: return 5;
    case ErrorCode::kNotFound:
    case ErrorCode::kIo:
    case ErrorCode::kTimeout:
    case ErrorCode::kBusy: return 6;
    case ErrorCode::kRejected: return 1;
    case ErrorCode::kInternal: return kExitBug;
    case ErrorCode::kCancelled: return kExitInterrupted;
  }
  return 1;
}

}  // namespace rf::app
