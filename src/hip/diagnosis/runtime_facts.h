// Opens the GPU module and tries its devices, for `doctor`.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "device/device.h"
#include "hip/diagnosis/checks.h"

namespace rf::hip {

/// Creates a device by its label, "hip:0", as models get it: with the tests that come before.
using DeviceFactory = std::function<Result<std::unique_ptr<Device>>(const std::string& label)>;

/// Of the kind "hip". Every device is created once.
RuntimeFacts ReadRuntimeFacts(const DeviceFactory& create);

}  // namespace rf::hip
