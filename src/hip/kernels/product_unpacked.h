// The product kernels that serve every format.
#pragma once

#include "hip/kernels/product.h"

namespace rf::hip {

const ProductKernels& UnpackedProductKernels(Format format);

}  // namespace rf::hip
