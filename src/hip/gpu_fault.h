// What a module offers beside its table, for tests of what happens when a device fails.
#pragma once

#include <cstdint>

namespace rf::hip {

inline constexpr char kGpuFaultSymbol[] = "RocmforgeGpuFault";

enum class GpuFault : int32_t {
  kWriteNowhere,  ///< a kernel writes to an address that is no one's
  kNeverEnd,      ///< a kernel does not end
};

/// Runs such a kernel and waits for it. Returns, if at all, the runtime's code; the device is lost.
using GpuFaultFn = int (*)(int32_t device, GpuFault fault);

}  // namespace rf::hip
