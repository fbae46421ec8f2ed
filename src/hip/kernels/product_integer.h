// Product kernels in integers, for the formats of integer_formats.def.
#pragma once

#include "hip/kernels/product.h"

namespace rf::hip {

/// Null for other formats.
const ProductKernels* IntegerProductKernels(Format format);

/// Bytes of the units of x.
size_t UnitBytes(const TensorView& x);
/// Makes the units of x.
void PrepareUnits(void* native, const TensorView& x, ActivationRound* units);

}  // namespace rf::hip
