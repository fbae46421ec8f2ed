// What a piece of 32 or 16 columns adds to a lane's sum: the one formula of all integer kernels, so that they round
// alike.
#pragma once

#include "hip/kernels/lane_weights.h"

namespace rf::hip {
namespace {

/// The two numbers of a piece of activations, or of weights. Loaded at once; the second only if the format has
/// minimums.
template <bool kHasMinimum>
struct alignas(8) PieceScales {
  float scale;
  float second;  ///< of activations the sum of their quants, of weights their minimum
};
template <>
struct PieceScales<false> {
  float scale;
};

/// sum + x.scale * (w.scale * product + minimum * sum of x), where product = the exact sum of (quant - kOffset) * x.
template <bool kHasMinimum>
RF_DEVICE float AddPiece(float product, const PieceScales<kHasMinimum>& w, const PieceScales<kHasMinimum>& x,
                         float sum) {
  if constexpr (kHasMinimum) {
    return fmaf(x.scale, fmaf(w.scale, product, w.second * x.second), sum);
  } else {
    return fmaf(w.scale * x.scale, product, sum);
  }
}

/// PieceScales of any format; what it lacks is dropped.
template <bool kHasMinimum>
RF_DEVICE PieceScales<kHasMinimum> MakeScales(float scale, float second) {
  if constexpr (kHasMinimum) {
    return {scale, second};
  } else {
    return {scale};
  }
}

}  // namespace
}  // namespace rf::hip
