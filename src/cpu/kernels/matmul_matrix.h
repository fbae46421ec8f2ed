// Products of many rows by a matrix unit, where the instruction set has one. The unit multiplies bfloat16 numbers and
// sums in F32, and yet the sums are exact: a 16-bit activation is 256 * upper + lower, each plane's numbers have at
// most eight significant bits, as the weights' quants have, and F32 holds whole numbers up to 2^24. So the results are
// the bits that the vector loops leave (matmul_tiles.h), whatever the batch.
//   kMatrixFromRows: from how many rows on it pays;   kMatrixPanels: panels that are multiplied together;
//   MatrixUnit: an object that a task holds while it multiplies;
//   PrepareMatrixBlock(q, numbers, form, token, block): stores one token's 32 activations as the unit reads them.
// Weights: matmul_matrix_unpack.h.
#pragma once

#include "cpu/kernels/amx.h"
#include "cpu/kernels/matmul_types.h"

namespace rf::cpu {
namespace {

/// How the planes' sums of a block are kept apart.
enum class MatrixSums {
  kNone,      ///< they would not be exact
  kJoined,    ///< both planes in one sum
  kSeparate,  ///< a sum for each plane, added afterwards: one rounding, that of the exact sum
  kHalves,    ///< both planes in one sum for each of the block's two scales
};

/// For quants of magnitude `largest` at most.
constexpr MatrixSums MatrixSumsOf(int largest, int n_scales) {
  constexpr int64_t kExact = int64_t{1} << 24;
  constexpr int64_t kLargestOfPlanes = 127 * 256 + 255;
  const bool can_join = kBlock / n_scales * kLargestOfPlanes * largest <= kExact;
  if (n_scales == 2) return can_join ? MatrixSums::kHalves : MatrixSums::kNone;
  return can_join ? MatrixSums::kJoined : largest <= 256 ? MatrixSums::kSeparate : MatrixSums::kNone;
}

}  // namespace
}  // namespace rf::cpu

#if RF_HAS_AMX
#include "cpu/kernels/matmul_matrix_amx.h"
#else
#include "cpu/kernels/matmul_matrix_none.h"
#endif
