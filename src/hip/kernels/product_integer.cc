// Products in integers: activations as units of two planes of signed bytes, weights as signed bytes (lane_weights.h),
// four products an instruction; each lane adds its own pieces in F32.
#include "hip/kernels/product_integer.h"

#include "base/half.h"
#include "hip/kernels/lane_weights_32.h"
#include "hip/kernels/lane_weights_k.h"
#include "hip/kernels/lane_weights_table.h"
#include "hip/kernels/product_matrix.h"
#include "hip/kernels/product_piece.h"
#include "hip/kernels/product_shape.h"

namespace rf::hip {
namespace {

static_assert(kMatrixTileRows % kManyRows == 0);

constexpr int kPrepareThreads = 256;
constexpr int kLanesOfUnit = 8;            // lanes that make a unit, four columns each
constexpr float kLargestQuant = 32639.0f;  // 127 * 256 + 127
// Magnitudes below count as 0: their inverse would be infinite.
constexpr float kSmallest = 1e-30f;

RF_DEVICE uint32_t MagnitudeBits(float x) {
  return FloatToBits(x) & 0x7fffffffu;
}

// The largest over the lanes that make a unit.
RF_DEVICE uint32_t LargestOfUnit(uint32_t value) {
  for (int mask = 1; mask < kLanesOfUnit; mask *= 2) {
    const uint32_t other = ShuffleXor(value, mask);
    value = other > value ? other : value;
  }
  return value;
}

// Eight lanes make a unit. Which quants a lane makes is as in memory: word 0..3 of high[0], then of high[1].
RF_KERNEL MakeUnits(TensorView x, ActivationUnit* units, int64_t n_units) {
  constexpr int64_t kPerBlock = kPrepareThreads / kLanesOfUnit;
  const int64_t index = blockIdx.x * kPerBlock + static_cast<int>(threadIdx.x) / kLanesOfUnit;
  const int lane = static_cast<int>(threadIdx.x) % kLanesOfUnit;
  const int64_t at = index < n_units ? index : n_units - 1;  // lanes beyond the last unit must go along
  const int64_t per_row = x.n_cols / kUnit;
  const float* from = RowOf(x, at / per_row) + at % per_row * kUnit + lane * 4;
  uint32_t bits = 0;
  for (int i = 0; i < 4; ++i) bits = MagnitudeBits(from[i]) > bits ? MagnitudeBits(from[i]) : bits;
  bits = LargestOfUnit(bits);
  const bool is_finite = bits < 0x7f800000u;
  const float largest = BitsToFloat(bits);
  const bool is_zero = !is_finite || largest < kSmallest;
  const float inverse = is_zero ? 0.0f : kLargestQuant / largest;

  uint32_t high_bytes = 0;
  uint32_t low_bytes = 0;
  int sum = 0;
  for (int i = 0; i < 4; ++i) {
    const int quant = is_zero ? 0 : static_cast<int>(rintf(from[i] * inverse));
    const int high = (quant + 128) >> 8;
    high_bytes |= static_cast<uint32_t>(high & 0xff) << (8 * i);
    low_bytes |= static_cast<uint32_t>((quant - 256 * high) & 0xff) << (8 * i);
    sum += quant;
  }
  for (int mask = 1; mask < kLanesOfUnit / 2; mask *= 2) sum += ShuffleXor(sum, mask);
  if (index >= n_units) return;
  ActivationUnit& unit = units[index];
  (&unit.high[0].x)[lane] = static_cast<int32_t>(high_bytes);
  (&unit.low[0].x)[lane] = static_cast<int32_t>(low_bytes);
  if (lane % 4 == 0) unit.sums[lane / 4] = sum;
  if (lane == 0) unit.scale = is_finite ? (is_zero ? 0.0f : largest / kLargestQuant) : BitsToFloat(0x7fc00000u);
}

// What a lane's weights of a round meet, in their order.
template <int kPieces>
struct LaneActivations {
  int high[8];
  int low[8];
  float scale[kPieces];
  int sum[kPieces];
};

template <typename Pieces>
RF_DEVICE LaneActivations<Pieces::kPieces> LoadActivations(const ActivationUnit* round, int lane) {
  LaneActivations<Pieces::kPieces> x;
  if constexpr (Pieces::kPieces == 1) {
    const ActivationUnit& unit = round[Pieces::PlaceOf(lane, 0).unit];
    SetQuants(x.high, unit.high[0], unit.high[1]);
    SetQuants(x.low, unit.low[0], unit.low[1]);
    x.scale[0] = unit.scale;
    x.sum[0] = unit.sums[0] + unit.sums[1];
  } else {
    const PiecePlace first = Pieces::PlaceOf(lane, 0);
    const PiecePlace second = Pieces::PlaceOf(lane, 1);
    const ActivationUnit& a = round[first.unit];
    const ActivationUnit& b = round[second.unit];
    SetQuants(x.high, a.high[first.half], b.high[second.half]);
    SetQuants(x.low, a.low[first.half], b.low[second.half]);
    x.scale[0] = a.scale;
    x.scale[1] = b.scale;
    x.sum[0] = a.sums[first.half];
    x.sum[1] = b.sums[second.half];
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

template <typename Block, typename Shape>
RF_KERNEL RF_LAUNCH_BOUNDS(Shape::kThreads) MultiplyIntegers(ProductJob job, int n_row_tiles) {
  using Pieces = LanePieces<Block>;
  const auto place = ProductPlace<Shape>::OfThread(job, n_row_tiles);
  if (place.rows.count == 0) return;
  const auto n_cols = static_cast<int>(job.args.x.n_cols);
  const Block* weights[Shape::kOutputs];
  RF_UNROLL
  for (int c = 0; c < Shape::kOutputs; ++c) weights[c] = place.template WeightsOf<Block>(c);
  const ActivationUnit* units[Shape::kRows];
  RF_UNROLL
  for (int r = 0; r < Shape::kRows; ++r) units[r] = job.units + place.InputRow(job, r) * (n_cols / kUnit);

  float sums[Shape::kRows][Shape::kOutputs] = {};
  const int n_rounds = Pieces::CountRounds(n_cols, place.lane);
  [[maybe_unused]] constexpr int kUnrolled = Shape::kUnrolled;
  RF_UNROLL_LOADS
  for (int round = 0; round < n_rounds; ++round) {
    LaneWeights<Pieces::kPieces> w[Shape::kOutputs];
    RF_UNROLL
    for (int c = 0; c < Shape::kOutputs; ++c) {
      w[c] = Pieces::Unpack(Pieces::Load(weights[c], round, place.lane), place.lane);
    }
    RF_UNROLL
    for (int r = 0; r < Shape::kRows; ++r) {
      if (Shape::kOutputs > 1 && r % 2 == 0) KeepOrder();
      const auto x = LoadActivations<Pieces>(units[r] + round * kProductLanes, place.lane);
      RF_UNROLL
      for (int c = 0; c < Shape::kOutputs; ++c) sums[r][c] = AddPieces<Pieces>(w[c], x, sums[r][c]);
    }
  }
  FinishProduct<Shape>(job, place, sums);
}

template <typename Block>
void LaunchProduct(void* native, ProductJob job) {
  if (LaunchMatrixProduct(native, job)) return;
  WithProductShape(job.rows,
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

size_t UnitBytes(const TensorView& x) {
  return static_cast<size_t>(x.n_rows * (x.n_cols / kUnit)) * sizeof(ActivationUnit);
}

void PrepareUnits(void* native, const TensorView& x, ActivationUnit* units) {
  const int64_t n_units = x.n_rows * (x.n_cols / kUnit);
  const int64_t n_blocks = CeilDivide(n_units * kLanesOfUnit, kPrepareThreads);
  Launch(native, MakeUnits, dim3(static_cast<uint32_t>(n_blocks)), kPrepareThreads, 0, x, units, n_units);
}

}  // namespace rf::hip
