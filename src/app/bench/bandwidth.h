// How fast this machine reads its memory, and how fast a device multiplies.
#pragma once

#include "device/device.h"

namespace rf::app {

/// Bytes per second at which `n_threads` threads read a buffer that is larger than the caches, the best of a few
/// passes. Takes a fraction of a second. 0: there is no memory for the buffer.
double MeasureReadBandwidth(int n_threads);

/// Bytes per second, read and written ones together, at which a device copies a buffer that is larger than its caches
/// to another, the best of a few passes. 0: there is no memory for the buffers. Errors: kDevice.
Result<double> MeasureCopyBandwidth(Device& device);

/// Operations per second of the device's matrix instructions (Device::QueueMatrixProducts) where nothing else is in
/// their way, the best of a few passes. 0: it has none that can be measured. Errors: kDevice, kOutOfMemory.
Result<double> MeasureMatrixPeak(Device& device);

}  // namespace rf::app
