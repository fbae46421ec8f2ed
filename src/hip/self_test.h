// A small known computation on a device, before it is trusted with a model.
#pragma once

#include <string>

#include "base/result.h"
#include "device/device.h"

namespace rf::hip {

/// Adds 256 pairs of numbers and multiplies a Q8_0 matrix on the device, by the way that models go: LoadWeight, copies,
/// kernels. Errors: kDevice if a result is wrong (the sum in any bit, the product beyond its tolerance) or a kernel is
/// missing; those of the device. `name` is the device's, for messages.
Status TestDevice(Device& device, const std::string& name);

}  // namespace rf::hip
