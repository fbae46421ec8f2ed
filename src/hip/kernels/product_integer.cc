// Products in integers: activations as units of two planes of signed bytes, weights as signed bytes (lane_weights.h),
// four products an instruction; each lane adds its own pieces in F32.
#include "hip/kernels/product_integer.h"

#include "hip/kernels/lane_weights_32.h"
#include "hip/kernels/lane_weights_k.h"
#include "hip/kernels/lane_weights_table.h"
#include "hip/kernels/product_matrix.h"
#include "hip/kernels/product_piece.h"
#include "hip/kernels/product_shape.h"

namespace rf::hip {
namespace {

static_assert(kMatrixTileRows % kManyRows == 0);

// What a lane's weights of a round meet, in their order.
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

// sum + the products of a lane's pieces.
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

// What a lane multiplies, and its sums.
template <typename Block, typename Shape>
struct LaneProduct {
  using Pieces = LanePieces<Block>;
  using Raw = typename Pieces::Raw;
  int lane;  // of the round's
  const Block* weights[Shape::kOutputs];
  const ActivationRound* x[Shape::kRows];
  float sums[Shape::kRows][Shape::kOutputs];

  RF_DEVICE_MEMBER LaneProduct(const ProductJob& job, const ProductPlace<Shape>& place)
      : lane(place.lane % kRoundLanes) {
    RF_UNROLL
    for (int c = 0; c < Shape::kOutputs; ++c) weights[c] = place.template WeightsOf<Block>(c);
    RF_UNROLL
    for (int r = 0; r < Shape::kRows; ++r) {
      x[r] = job.units + place.InputRow(job, r) * RoundsOf(job.args.x.n_cols);
      RF_UNROLL
      for (int c = 0; c < Shape::kOutputs; ++c) sums[r][c] = 0.0f;
    }
  }

  RF_DEVICE_MEMBER void Load(int round, Raw (&raw)[Shape::kOutputs]) const {
    RF_UNROLL
    for (int c = 0; c < Shape::kOutputs; ++c) raw[c] = Pieces::Load(weights[c], round, lane);
  }

  RF_DEVICE_MEMBER void Add(int round, const Raw (&raw)[Shape::kOutputs]) {
    LaneWeights<Pieces::kPieces> w[Shape::kOutputs];
    RF_UNROLL
    for (int c = 0; c < Shape::kOutputs; ++c) w[c] = Pieces::Unpack(raw[c], lane);
    if (Shape::kRows > 1) KeepOrder();
    RF_UNROLL
    for (int r = 0; r < Shape::kRows; ++r) {
      if (r > 0 && r % 2 == 0) KeepOrder();
      const auto activations = LoadActivations<Pieces>(x[r][round], lane);
      RF_UNROLL
      for (int c = 0; c < Shape::kOutputs; ++c) sums[r][c] = AddPieces<Pieces>(w[c], activations, sums[r][c]);
    }
  }
};

template <typename Block, typename Shape>
RF_KERNEL RF_LAUNCH_BOUNDS(Shape::kThreads) MultiplyIntegers(ProductJob job, int n_row_tiles) {
  const auto place = ProductPlace<Shape>::OfThread(job, n_row_tiles);
  if (place.rows.count == 0) return;
  LaneProduct<Block, Shape> product(job, place);
  const int n_rounds = LanePieces<Block>::CountRounds(static_cast<int>(job.args.x.n_cols), product.lane);
  for (int first = place.lane / kRoundLanes; first < n_rounds; first += kRoundsAtOnce * Shape::kAhead) {
    typename LanePieces<Block>::Raw raw[Shape::kAhead][Shape::kOutputs];
    RF_UNROLL
    for (int a = 0; a < Shape::kAhead; ++a) {
      const int round = first + a * kRoundsAtOnce;
      product.Load(round < n_rounds ? round : first, raw[a]);
    }
    KeepOrder();
    RF_UNROLL
    for (int a = 0; a < Shape::kAhead; ++a) {
      const int round = first + a * kRoundsAtOnce;
      if (round < n_rounds) product.Add(round, raw[a]);
    }
  }
  FinishProduct<Shape>(job, place, product.sums);
}

template <typename Block>
void LaunchProduct(void* native, ProductJob job) {
  if (LaunchMatrixProduct(native, job)) return;
  WithProductShape(native, job,
                   [&]<typename Shape>() { LaunchProductTiles<Shape>(native, MultiplyIntegers<Block, Shape>, job); });
}

}  // namespace

const ProductKernels* IntegerProductKernels(Format format) {
  switch (format) {
#define RF_INTEGER_FORMAT(Name)                                                                     \
  case Format::k##Name: {                                                                           \
    static constexpr ProductKernels kKernels = {kMatrixTileRows, true, LaunchProduct<Block##Name>}; \
    return &kKernels;                                                                               \
  }
#include "hip/kernels/integer_formats.def"
#undef RF_INTEGER_FORMAT
    default: return nullptr;
  }
}

}  // namespace rf::hip
