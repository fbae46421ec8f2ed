// The product kernels that serve every format.
#pragma once

#include "hip/kernels/product.h"

namespace rf::hip {

/// For a format without kernels of its own.
const ProductKernels& UnpackedProductKernels(Format format);

}  // namespace rf::hip
