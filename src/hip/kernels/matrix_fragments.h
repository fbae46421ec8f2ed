// Products of matrices of halves by the matrix instructions of each GPU, summed in F32: a wave multiplies 16 outputs'
// weights with 16 rows of activations. Which lane holds what differs from family to family and is known to these
// functions alone.
//
// Columns are taken in stretches of kStretch. A sum does not care in which order an instruction's columns lie in the
// matrices, as long as both have the same: so a lane takes columns that are neighbours, lane part by lane part, and its
// share of a stretch is a row of 16-byte pieces of the matrix as it lies in memory. A product takes a quarter of every
// share: 32 columns, two instructions.
//
//   kHasMatrixInstructions       of the target that is compiled for
//   HasMatrixHere()              the same of the device that a kernel runs on; they differ under the emulator alone
//   kNeedsIntegers               whether products in integers are compiled, for want of them
//   kHasNarrow, kIsTallWave      HasNarrowProducts() and HasTallWaves() of the target
//   kIsAlwaysNarrow              whether there is no device without narrow products that the module is for
//   LaneParts()                  into how many parts a row's stretch is divided: a lane has one, kStretch / LaneParts()
//                                columns
//   LanePart(), LanePartStride() which, and how many lanes further the next one is
//   LaneRows(), LaneRow(i)       how many rows of a matrix a lane holds, and which of the sixteen: kLaneRowStep apart
//   PiecesOfLane()               a lane's pieces of eight columns in a product, of each row: 4 / LaneParts()
//   HalfFragment                 what a lane holds of a matrix for a product: pieces[row][piece]
//   MatrixSums                   what it holds of the sums: values[0 .. MatrixValuesOfLane()), at first 0
//   MultiplyHalves<kNarrow>(w, x, sums)  sums + the products; narrow: eight rows of activations are enough, where the
//                                instruction has no more (values[0 .. NarrowValuesOfLane()))
//   MatrixOutput(i), MatrixRow(i)  where value i lies: the row of the weights, of the activations
//   LaneRowOfValue(i)            which of the lane's rows of the weights that is: LaneRow(LaneRowOfValue(i)) is
//                                MatrixOutput(i)
//   PairedRow(r)                 a permutation of the sixteen rows: where r goes through MatrixRow(i), i and i + 1 of a
//                                pair of values give an even number and the one behind it
//
// All lanes of a wave must call MultiplyHalves.
#pragma once

#include <cstring>

#include "hip/kernels/gpu.h"

namespace rf::hip {

inline constexpr int kMatrixSide = 16;  ///< outputs, and rows of activations, of a product
inline constexpr int kStretch = 128;    ///< columns
inline constexpr int kProductsOfStretch = 4;
inline constexpr int kPieceColumns = 8;

}  // namespace rf::hip

#if defined(RF_GPU_EMULATED)
#include "hip/emulation/fragments.h"
#elif defined(__CUDACC__)
#include "hip/kernels/fragments_cuda.h"
#else
#include "hip/kernels/fragments_hip.h"
#endif

namespace rf::hip {

/// Whether kernels may use them on a device; of the same targets as kHasMatrixInstructions.
inline bool HasMatrixInstructions(const GpuTraits& traits) {
  const auto begins = [&](const char* prefix) { return std::strncmp(traits.arch, prefix, std::strlen(prefix)) == 0; };
  if (begins("sm_")) return std::strlen(traits.arch) > 5 || traits.arch[3] >= '8';  // sm_80 and newer, sm_100
  return begins("gfx90a") || begins("gfx942") || begins("gfx11") || begins("gfx12") ||
         std::strcmp(traits.arch, "emulated") == 0;
}

/// Whether the instruction has eight rows of activations; the emulator's waves of 32 lanes stand for NVIDIA's.
inline bool HasNarrowProducts(const GpuTraits& traits) {
  return std::strncmp(traits.arch, "sm_", 3) == 0 ||
         (std::strcmp(traits.arch, "emulated") == 0 && traits.wave_size == 32);
}

/// Whether a lane has registers for the sums of 64 rows and 32 outputs, twice, and for what it loads meanwhile; of the
/// same targets as kIsTallWave. The emulator's waves of 64 lanes stand for those that have not.
inline bool HasTallWaves(const GpuTraits& traits) {
  const bool is_rdna = std::strncmp(traits.arch, "gfx11", 5) == 0 || std::strncmp(traits.arch, "gfx12", 5) == 0;
  return !is_rdna && !(std::strcmp(traits.arch, "emulated") == 0 && traits.wave_size == 64);
}

}  // namespace rf::hip
