// What a piece of 32 or 16 columns adds to a lane's sum: the one formula of all integer kernels, so that they round
// alike.
#pragma once

#include "hip/kernels/lane_weights.h"

namespace rf::hip {
namespace {

/// A piece's activations: their scale, and the sum of their quants.
struct PieceScale {
  float scale;
  float sum;
};

/// sum + x.scale * (scale * product + minimum * x.sum), where product = the exact sum of (quant - kOffset) * x.
template <typename Pieces>
RF_DEVICE float AddPiece(float product, float scale, float minimum, const PieceScale& x, float sum) {
  if constexpr (Pieces::kHasMinimum) {
    return fmaf(x.scale, fmaf(scale, product, minimum * x.sum), sum);
  } else {
    return fmaf(scale * x.scale, product, sum);
  }
}

}  // namespace
}  // namespace rf::hip
