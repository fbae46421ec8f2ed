// Product kernels in integers, for the formats of integer_formats.def.
#pragma once

#include "hip/kernels/product.h"

namespace rf::hip {

/// Null for other formats.
const ProductKernels* IntegerProductKernels(Format format);

}  // namespace rf::hip
