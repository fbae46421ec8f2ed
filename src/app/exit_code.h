// Exit codes of the command line: 0 ok, 2 usage, 3 bad model file, 4 device, 5 not enough memory, 6 I/O or network, 1
// anything else.
#pragma once

#include "base/result.h"

namespace rf::app {

inline constexpr int kExitUsage = 2;
inline constexpr int kExitBug = 70;  ///< an internal error, as sysexits.h has it
inline constexpr int kExitInterrupted = 130;

/// The exit code of an error: the one table that maps them.
int ExitCode(const Error& error);

}  // namespace rf::app
