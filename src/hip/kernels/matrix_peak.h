// How fast a device's matrix instructions are where nothing else is in their way.
#pragma once

#include <cstdint>

#include "hip/gpu_api.h"

namespace rf::hip {

/// Launches blocks that multiply in registers alone and keep every processor busy: `n_rounds` rounds each. Returns how
/// many operations that is, a multiplication and an addition counting as two; 0 and no launch: the device has no
/// matrix instructions. The workspace must hold 4 bytes.
int64_t LaunchMatrixPeak(void* native, int32_t n_rounds);

}  // namespace rf::hip
