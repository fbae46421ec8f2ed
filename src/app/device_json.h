// A device as JSON, for the commands that list them.
#pragma once

#include <nlohmann/json.hpp>

#include "device/device.h"

namespace rf::app {

/// {"device" (as --device names it), "kind", "name", "isa", "threads", "memory_bytes", "free_bytes"}.
inline nlohmann::ordered_json ToJson(const DeviceProperties& device) {
  return {{"device", device.Label()},
          {"kind", device.kind},
          {"name", device.name},
          {"isa", device.isa},
          {"threads", device.n_threads},
          {"memory_bytes", device.memory_bytes},
          {"free_bytes", device.free_bytes}};
}

}  // namespace rf::app
