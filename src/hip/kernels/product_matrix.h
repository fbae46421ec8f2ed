// Product kernels in integers for many rows, with matrix instructions.
#pragma once

#include "hip/kernels/product.h"

namespace rf::hip {

/// What experts' rows are grouped by.
inline constexpr int kMatrixTileRows = 32;

/// Launches the kernel if the device has matrix instructions and the job enough rows; otherwise returns false.
bool LaunchMatrixProduct(void* native, const ProductJob& job);

}  // namespace rf::hip
