// What a lane of the integer kernels loads of the activations, and how it multiplies: four products an instruction, its
// own pieces added in F32.
#pragma once

#include "hip/kernels/lane_weights.h"
#include "hip/kernels/product.h"
#include "hip/kernels/product_piece.h"

namespace rf::hip {
namespace {

/// What a lane's weights of a round meet, in their order.
template <int kPieces>
struct LaneActivations {
  int high[8];
  int low[8];
  float scale[kPieces];
  int sum[kPieces];
};

template <typename Pieces>
RF_DEVICE LaneActivations<Pieces::kPieces> LoadActivations(const ActivationRound& round, int lane) {
  LaneActivations<Pieces::kPieces> x;
  if constexpr (Pieces::kPieces == 1) {
    const int unit = Pieces::PlaceOf(lane, 0).unit;
    const UnitScale& scale = round.scales[unit];
    SetQuants(x.high, round.high[unit][0], round.high[unit][1]);
    SetQuants(x.low, round.low[unit][0], round.low[unit][1]);
    x.scale[0] = scale.scale;
    x.sum[0] = scale.sums[0] + scale.sums[1];
  } else {
    const PiecePlace first = Pieces::PlaceOf(lane, 0);
    const PiecePlace second = Pieces::PlaceOf(lane, 1);
    const UnitScale a = round.scales[first.unit];
    const UnitScale b = round.scales[second.unit];
    SetQuants(x.high, round.high[first.unit][first.half], round.high[second.unit][second.half]);
    SetQuants(x.low, round.low[first.unit][first.half], round.low[second.unit][second.half]);
    x.scale[0] = a.scale;
    x.scale[1] = b.scale;
    x.sum[0] = first.half == 0 ? a.sums[0] : a.sums[1];
    x.sum[1] = second.half == 0 ? b.sums[0] : b.sums[1];
  }
  return x;
}

/// sum + the products of a lane's pieces.
template <typename Pieces>
RF_DEVICE float AddPieces(const LaneWeights<Pieces::kPieces>& w, const LaneActivations<Pieces::kPieces>& x, float sum) {
  constexpr int kWords = 8 / Pieces::kPieces;
  RF_UNROLL
  for (int p = 0; p < Pieces::kPieces; ++p) {
    int high = 0;
    int low = 0;
    RF_UNROLL
    for (int i = p * kWords; i < (p + 1) * kWords; ++i) {
      high = Dot4(w.quants[i], x.high[i], high);
      low = Dot4(w.quants[i], x.low[i], low);
    }
    // Exact: at most 128 * 32639 * 32.
    const auto product = static_cast<float>(256 * high + low - Pieces::kOffset * x.sum[p]);
    constexpr bool kHasMinimum = Pieces::kHasMinimum;
    sum = AddPiece(product, MakeScales<kHasMinimum>(w.scale[p], w.minimum[p]),
                   MakeScales<kHasMinimum>(x.scale[p], static_cast<float>(x.sum[p])), sum);
  }
  return sum;
}

}  // namespace
}  // namespace rf::hip
