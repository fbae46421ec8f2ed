// The functions by which each op's file enters its kernels. Plain declarations.
#pragma once

#include "hip/gpu_api.h"

namespace rf::hip {

#define RF_OP(Name, file) void Register##Name(const GpuTraits& traits, KernelTable& table);
#include "ops/ops.def"
#undef RF_OP
#define RF_PAIR(First, Second, file) void Register##First##Second(const GpuTraits& traits, KernelTable& table);
#include "ops/pairs.def"
#undef RF_PAIR

/// Enters every kernel that a device with these traits can run.
void FillKernels(const GpuTraits& traits, KernelTable* table);

}  // namespace rf::hip
