// All kernels of the module.
#include "hip/kernels/register.h"

namespace rf::hip {

void FillKernels(const GpuTraits& traits, KernelTable* table) {
#define RF_OP(Name, file) Register##Name(traits, *table);
#include "ops/ops.def"
#undef RF_OP
#define RF_PAIR(First, Second, file) Register##First##Second(traits, *table);
#include "ops/pairs.def"
#undef RF_PAIR
}

}  // namespace rf::hip
