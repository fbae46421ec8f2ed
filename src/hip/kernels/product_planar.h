// Products with planar weights (planar.h), by matrix instructions on halves.
#pragma once

#include "hip/kernels/units.h"

namespace rf::hip {

/// Of any format that has such weights (planar_formats.def).
const ProductKernels& PlanarProductKernels();

/// Columns of x that LaunchGatedSlices takes, at most.
inline constexpr int kGatedColumns = 8192;
/// Of one row (ProductKernels::launch_gated).
bool LaunchGatedSlices(void* native, const ProductJob& job, const Glu::Args& glu, const UnitsPlace& units);

/// For up to a few dozen rows (product_slices.cc).
void LaunchSliceProduct(void* native, const ProductJob& job);
/// Whether LaunchMixedSlices has a kernel for these parts: of two formats (mixed_formats.def) and up to sixteen rows.
bool IsForMixedSlices(const MatMul::Args& args);
/// All parts of such a job in one launch (product_mixed.cc), with the bits that LaunchSliceProduct gives of each.
void LaunchMixedSlices(void* native, const ProductJob& job);
/// Whether the job has rows enough for LaunchTileProduct.
bool IsForTiles(const void* native, const ProductJob& job);
/// For many rows (product_tiles.cc); false if there are too few for it.
bool LaunchTileProduct(void* native, const ProductJob& job);

namespace {

/// A slice more: its sum times a power of two.
RF_DEVICE float AddSlice(float total, float sum, float scale) {
  return fmaf(sum, scale, total);
}
/// What the first slice is added to: nothing, not even a sign.
inline constexpr float kNoSlices = -0.0f;

}  // namespace
}  // namespace rf::hip
