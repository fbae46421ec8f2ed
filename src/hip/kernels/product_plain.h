// Product kernels for weights that are plain floating-point numbers.
#pragma once

#include "hip/kernels/product.h"

namespace rf::hip {

/// Null for formats other than F32, F16 and BF16.
const ProductKernels* PlainProductKernels(Format format);

}  // namespace rf::hip
