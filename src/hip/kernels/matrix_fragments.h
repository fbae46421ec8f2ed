// Products of matrices of signed bytes by the matrix instructions of each GPU: a wave multiplies A, of 16 rows, with
// B's 16 rows, B transposed, over kK = 16 or 32 columns; 16 x 16 sums, exact. Which lane holds what differs from family
// to family and is known to these functions alone:
//
//   kHasMatrixInstructions     of the target that is compiled for
//   MatrixFragment<kK>         what a lane holds of A, or of B
//   LoadMatrix<kK>(rows, stride)   16 rows, `stride` words apart, of kK bytes each
//   MultiplyMatrices<kK>(a, b)     the sums, of which a lane has values[0 .. MatrixValuesOfLane())
//   MatrixRow(i), MatrixColumn(i)  where value i lies: A's row, B's row
//
// All lanes of a wave must call LoadMatrix and MultiplyMatrices.
#pragma once

#include <cstring>

#include "hip/kernels/gpu.h"

#if defined(RF_GPU_EMULATED)
#include "hip/emulation/fragments.h"
#elif defined(__CUDACC__)
#include "hip/kernels/fragments_cuda.h"
#else
#include "hip/kernels/fragments_hip.h"
#endif

namespace rf::hip {
namespace {

/// Of the products of two planes, which are exact: rounded once.
RF_DEVICE float FloatOfPlanes(int high, int low) {
  return static_cast<float>(256 * high + low);
}

}  // namespace

/// Whether kernels may use them on a device; of the same targets as kHasMatrixInstructions.
inline bool HasMatrixInstructions(const GpuTraits& traits) {
  const auto begins = [&](const char* prefix) { return std::strncmp(traits.arch, prefix, std::strlen(prefix)) == 0; };
  if (begins("sm_")) return std::strlen(traits.arch) > 5 || traits.arch[3] >= '8';  // sm_80 and newer, sm_100
  return begins("gfx90a") || begins("gfx942") || begins("gfx11") || begins("gfx12") || begins("emulated");
}

}  // namespace rf::hip
