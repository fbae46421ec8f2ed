// A GPU's queue of work. Never the runtime's default stream, which would wait for all others.
#pragma once

#include <memory>

#include "device/device.h"
#include "hip/gpu_runtime.h"

namespace rf::hip {

/// native() is a GpuContext*, valid as long as the stream. `traits` must outlive it. Errors: kDevice, kOutOfMemory.
Result<std::unique_ptr<Stream>> CreateGpuStream(std::shared_ptr<GpuRuntime> runtime, const GpuTraits& traits);

}  // namespace rf::hip
