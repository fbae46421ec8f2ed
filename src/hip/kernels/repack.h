// Repacking of quantized weights (planar.h).
#pragma once

#include "hip/gpu_api.h"

namespace rf::hip {

/// The bytes of a repacked weight; 0: there is no such layout for the format.
uint64_t PlanarWeightBytes(const WeightView& weight);

/// Launches the kernel that repacks some rows, whole tiles but for the matrix's last.
void LaunchRepack(void* native, const RepackJob& job);

}  // namespace rf::hip
