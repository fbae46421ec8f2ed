// Finds and opens a GPU module at run time, so that one binary works with a GPU runtime and without.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hip/gpu_api.h"
#include "hip/gpu_fault.h"
#include "hip/gpu_presence.h"

namespace rf::hip {

/// Where a module may lie and what must be loaded before it.
struct ModuleSearch {
  std::string kind;  ///< "hip" or "emulated", as --device names it; the module is librocmforge_<kind>.so
  /// Looked at in this order.
  std::vector<std::filesystem::path> folders;
  std::string override_path;  ///< the module itself, instead of the folders; empty: none
  /// Libraries whose symbols the module leaves open, best first: the first that loads is used.
  std::vector<std::string> runtimes;
};

/// The executable's folder and ../lib/rocmforge beside it; $ROCMFORGE_GPU_MODULE; for "hip" the names that libamdhip64
/// has in ROCm 7, 6 and 5.
ModuleSearch DefaultSearch(std::string_view kind);

/// Whether there is a file to open; nothing is opened, so the process stays free of any GPU runtime.
bool HasModule(const ModuleSearch& search);

/// Opens the module; it stays loaded until the process ends, as threads of its runtime may run until then. Errors:
/// kDevice if there is no module, no runtime, a symbol missing, or it was made from other sources or for another kind.
Result<const GpuApi*> OpenModule(const ModuleSearch& search);

/// Makes a device of an opened module fail, for tests. May not return. Errors: kDevice if the module cannot do it.
Status RunFault(const ModuleSearch& search, int32_t device, GpuFault fault);

/// Devices that the module's runtime has: 1 at least. Errors: kDevice, with `presence` telling why there is none.
Result<int32_t> CountDevices(const GpuApi& api, const GpuPresence& presence);

}  // namespace rf::hip
