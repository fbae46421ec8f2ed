// Memory of this machine, as far as this process may use it.
#pragma once

#include <cstdint>

namespace rf::cpu {

struct HostMemory {
  uint64_t total_bytes = 0;
  uint64_t available_bytes =
      0;  ///< what can be allocated without swapping, within the control group's limit; 0: not known
};

HostMemory ReadHostMemory();

}  // namespace rf::cpu
