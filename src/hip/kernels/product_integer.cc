// Products in integers: activations as units of two planes of signed bytes, weights as signed bytes (lane_weights.h),
// four products an instruction; each lane adds its own pieces in F32.
#include "hip/kernels/product_integer.h"

#include "hip/kernels/lane_weights_32.h"
#include "hip/kernels/lane_weights_k.h"
#include "hip/kernels/lane_weights_table.h"
#include "hip/kernels/product_gated.h"
#include "hip/kernels/product_lanes.h"
#include "hip/kernels/product_shape.h"

namespace rf::hip {
namespace {

static_assert(kExpertTileRows % kManyRows == 0);

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
  if constexpr (kNeedsIntegers) {
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
}

template <typename Block>
void LaunchProduct(void* native, ProductJob job) {
  WithProductShape(native, job,
                   [&]<typename Shape>() { LaunchProductTiles<Shape>(native, MultiplyIntegers<Block, Shape>, job); });
}

const char* VariantOf(const void* /*native*/, const ProductJob& /*job*/) {
  return "integers";
}

}  // namespace

const ProductKernels* IntegerProductKernels(Format format) {
  switch (format) {
#define RF_INTEGER_FORMAT(Name)                                                                                        \
  case Format::k##Name: {                                                                                              \
    static constexpr ProductKernels kKernels = {true, LaunchProduct<Block##Name>, LaunchGated<Block##Name>, INT64_MAX, \
                                                VariantOf};                                                            \
    return &kKernels;                                                                                                  \
  }
#include "hip/kernels/integer_formats.def"
#undef RF_INTEGER_FORMAT
    default: return nullptr;
  }
}

}  // namespace rf::hip
