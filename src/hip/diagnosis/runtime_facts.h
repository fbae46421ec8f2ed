// Opens the GPU module and tries its devices, for `doctor`.
#pragma once

#include "hip/diagnosis/checks.h"

namespace rf::hip {

/// Of the kind "hip". Every device is created once, with its self-test.
RuntimeFacts ReadRuntimeFacts();

}  // namespace rf::hip
