#include "hip/kernels/product_planar.h"

namespace rf::hip {
namespace {

void LaunchPlanarProduct(void* native, ProductJob job) {
  if (!LaunchTileProduct(native, job)) LaunchSliceProduct(native, job);
}

const char* VariantOf(const void* native, const ProductJob& job) {
  return IsForTiles(native, job) ? "tiles" : "slices";
}

}  // namespace

// A function: clang makes a constant that other files see for the GPU too, and there nobody has the host's functions.
const ProductKernels& PlanarProductKernels() {
  static const ProductKernels kernels = {true, LaunchPlanarProduct, LaunchGatedSlices, kGatedColumns, VariantOf};
  return kernels;
}

}  // namespace rf::hip
