// A device as JSON, for the commands that list them.
#pragma once

#include <nlohmann/json.hpp>

#include "device/device.h"

namespace rf::app {

/// {"device" (as --device names it), "kind", "name", "isa", "threads", "memory_bytes", "free_bytes"}; of a GPU also
/// {"wave_size", "compute_units", "lds_bytes" (of a block), "integrated", "driver_version", "runtime_version"}.
inline nlohmann::ordered_json ToJson(const DeviceProperties& device) {
  nlohmann::ordered_json json = {{"device", device.Label()},
                                 {"kind", device.kind},
                                 {"name", device.name},
                                 {"isa", device.isa},
                                 {"threads", device.n_threads},
                                 {"memory_bytes", device.memory_bytes},
                                 {"free_bytes", device.free_bytes}};
  if (device.is_host_memory) return json;
  json.update({{"wave_size", device.wave_size},
               {"compute_units", device.n_processors},
               {"lds_bytes", device.shared_bytes},
               {"integrated", device.shares_host_memory},
               {"driver_version", device.driver_version},
               {"runtime_version", device.runtime_version}});
  return json;
}

}  // namespace rf::app
