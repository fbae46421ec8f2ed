// How fast this machine reads its memory.
#pragma once

#include "device/device.h"

namespace rf::app {

/// Bytes per second at which `n_threads` threads read a buffer that is larger than the caches, the best of a few
/// passes. Takes a fraction of a second. 0: there is no memory for the buffer.
double MeasureReadBandwidth(int n_threads);

/// Bytes per second, read and written ones together, at which a device copies a buffer that is larger than its caches
/// to another, the best of a few passes. 0: there is no memory for the buffers. Errors: kDevice.
Result<double> MeasureCopyBandwidth(Device& device);

}  // namespace rf::app
