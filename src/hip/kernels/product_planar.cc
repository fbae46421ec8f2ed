#include "hip/kernels/product_planar.h"

namespace rf::hip {
namespace {

void LaunchPlanarProduct(void* native, ProductJob job) {
  if (!LaunchTileProduct(native, job)) LaunchSliceProduct(native, job);
}

}  // namespace

constexpr ProductKernels kPlanarProductKernels = {true, LaunchPlanarProduct, LaunchGatedSlices};

}  // namespace rf::hip
