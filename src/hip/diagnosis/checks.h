// What `doctor` finds: each thing that must be right for an AMD GPU to be used, how it is, and what to do about it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hip/diagnosis/system_facts.h"

namespace rf::hip {

enum class CheckStatus { kOk, kWarn, kFail };

/// "ok", "warn" or "fail".
const char* NameOf(CheckStatus status);

/// One line of the diagnosis.
struct Check {
  std::string name;
  CheckStatus status;
  std::string detail;  ///< what was found
  std::string advice;  ///< what to do; empty where all is well
};

/// A device of the GPU runtime, or why it is not used.
struct RuntimeDevice {
  std::string label;  ///< "hip:0"
  std::string name;   ///< "AMD Radeon RX 7900 XTX"
  std::string arch;   ///< "gfx1100"
  uint64_t free_bytes = 0;
  uint64_t total_bytes = 0;
  std::string refusal;         ///< why it is not used; empty: it is
  std::string driver_version;  ///< as the runtime knows it; empty: it does not say
  std::string runtime_version;
};

/// What the GPU module and its runtime say.
struct RuntimeFacts {
  std::string module_error;   ///< why there is no module or no runtime; empty: they were opened
  std::string runtime;        ///< "HIP"
  std::string targets;        ///< that the module holds code for, as GpuApi has them; empty: it does not say
  std::string devices_error;  ///< why the runtime has no device; empty: it has some
  std::vector<RuntimeDevice> devices;
};

/// A variable that changes what the runtime sees, as it is set.
struct Setting {
  std::string name;
  std::string value;
};

/// HSA_OVERRIDE_GFX_VERSION and those that hide devices.
std::vector<Setting> ReadSettings();

/// All checks, in the order in which a GPU's use depends on them. On a machine without an AMD card nothing fails: then
/// the CPU is used, as it should be.
std::vector<Check> CheckGpu(const SystemFacts& system, const RuntimeFacts& runtime,
                            const std::vector<Setting>& settings);

}  // namespace rf::hip
