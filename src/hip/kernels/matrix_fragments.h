// Products of matrices of signed bytes by the matrix instructions of each GPU: a wave multiplies A, of 16 rows, with
// B's 16 rows, B transposed, over kK = 16 or 32 columns; 16 x 16 sums, exact. Which lane holds what differs from family
// to family and is known to these functions alone:
//
//   kHasMatrixInstructions               of the target that is compiled for
//   kTallestWave                         for how many of A's rows a wave has registers, 32 or 64
//   RowFragment<kK>, ColumnFragment<kK>  what a lane holds of A, and of B
//   MatrixSums                           what it holds of the sums: values[0 .. MatrixValuesOfLane()), at first 0
//   LoadRows<kK>(rows, stride)           A's 16 rows, in shared memory, `stride` words apart, a multiple of four
//   LoadColumns<kK>(rows, stride)        B's
//   MultiplyMatrices<kK>(a, b, sums)     sums + the products
//   MatrixRow(i), MatrixColumn(i)        where value i lies: A's row, B's row
//
// All lanes of a wave must call the loads and MultiplyMatrices.
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

inline constexpr int kMatrixSide = 16;  ///< rows of A, and of B

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

/// kTallestWave of a device; the emulator's waves of 32 lanes stand for NVIDIA's.
inline int TallestWaveOf(const GpuTraits& traits) {
  const bool is_nvidia = std::strncmp(traits.arch, "sm_", 3) == 0;
  const bool is_emulated = std::strncmp(traits.arch, "emulated", 8) == 0;
  return is_nvidia || (is_emulated && traits.wave_size == 32) ? 64 : 32;
}

}  // namespace rf::hip
