#include "hip/kernels/activation.h"
#include "hip/kernels/product_slice_shapes.h"
#include "hip/kernels/product_slice_tile.h"

namespace rf::hip {
namespace {

template <typename Planar, typename Shape>
RF_KERNEL RF_BLOCKS_AT_ONCE(kThreads, Shape::kBlocksAtOnce) MultiplySlices(ProductJob job, int n_row_tiles) {
  if constexpr (kHasMatrixInstructions) {
    AdmitNext();
    const auto block = static_cast<int>(blockIdx.x);
    MultiplySliceTile<Planar, Shape>(job, block, n_row_tiles, Shared<typename Shape::Memory>());
  }
}

constexpr int kTilesOfUnit = kUnit / kMatrixSide;

// Gate and up for one row with their gated unit: a block has the same units of kUnit columns of both, tiles of gate
// first.
template <typename Planar, typename Shape>
RF_KERNEL RF_BLOCKS_AT_ONCE(kThreads, Shape::kBlocksAtOnce)
    MultiplyGatedSlices(ProductJob job, Glu::Args glu, UnitsPlace units) {
  if constexpr (kHasMatrixInstructions) {
    constexpr int kTilesOfPart = Shape::kTiles / 2;
    constexpr int kUnits = kTilesOfPart / kTilesOfUnit;
    static_assert(Shape::kTiles % (2 * kTilesOfUnit) == 0 && kUnits <= kSlices);
    AdmitNext();
    auto& shared = Shared<typename Shape::Memory>();
    const int first = static_cast<int>(blockIdx.x) * kUnits * kUnit;
    const int first_tile = first / kMatrixSide;
    const WeightView& gate = job.args.parts[0].weight;
    const WeightView& up = job.args.parts[1].weight;
    const auto thread = static_cast<int>(threadIdx.x);
    const bool is_gate = thread < kUnits * kUnit;
    const MatMul::Part& part = is_gate ? job.args.parts[0] : job.args.parts[1];
    const int output = first + thread % (kUnits * kUnit);
    const bool has_output = thread < Shape::kOutputs && output < part.weight.n_rows;
    OutputAddends addends{};
    const auto load_addends = [&] {
      if (has_output) addends.Load(job, part, ExponentsOfTile(Planar::Shape(), part.weight, 0, 0), 0, output);
    };
    const auto tile_of = [&](int i) {
      return TileAt<Planar>(i < kTilesOfPart ? gate : up, 0, first_tile + i % kTilesOfPart);
    };
    MultiplySlice<Planar, Shape>(job, {0, 0, 1}, tile_of, load_addends, shared);
    BlockBarrier();
    if (has_output) {
      const auto n_stretches = static_cast<int>(StretchesOfColumns(job.args.x.n_cols));
      shared.outputs[thread] = addends.Store(job, part, 0, output, JoinSlices<Shape>(shared, n_stretches, thread, 0));
    }
    BlockBarrier();
    const int unit = WaveIndex();
    if (unit >= kUnits || first + unit * kUnit >= glu.y.n_cols) return;
    const bool is_there = Lane() < kLanesOfUnit;
    const int column = unit * kUnit + (is_there ? Lane() * 4 : 0);
    const Float4 y = GluOf(glu.attrs.activation, *reinterpret_cast<const Float4*>(&shared.outputs[column]),
                           *reinterpret_cast<const Float4*>(&shared.outputs[kUnits * kUnit + column]));
    if (is_there) {
      float* to = RowOf(glu.y, 0) + first + column;
      to[0] = y.x;
      to[1] = y.y;
      to[2] = y.z;
      to[3] = y.w;
    }
    MakeUnit(y, units, 0, first + column, is_there);
  }
}

template <typename Shape>
void LaunchShape(void* native, void (*kernel)(ProductJob, int), ProductJob job) {
  const dim3 tiles = PlanTiles(job, Shape::kOutputs, Shape::kRows);
  const GpuTraits& traits = *static_cast<GpuContext*>(native)->traits;
  LaunchEarly(native, kernel, dim3(tiles.x * tiles.y), ThreadsOf(traits), sizeof(typename Shape::Memory), job,
              static_cast<int>(tiles.y));
}

template <typename Planar>
void LaunchOneRow(void* native, const ProductJob& job) {
  WithWidth(native, [&]<bool kNarrow>() {
    using Many = OneRowShape<Planar, kManyColumns, kNarrow>;
    if (job.args.x.n_cols > kFewColumns) return LaunchShape<Many>(native, MultiplySlices<Planar, Many>, job);
    if constexpr (kNarrow) {
      using Two = OneRowShape<Planar, kFewColumns, kNarrow, 2>;
      using Eight = OneRowShape<Planar, kFewColumns, kNarrow, 8>;
      const int n_tiles = TilesOfBlock(*static_cast<GpuContext*>(native)->traits, CountTiles(job));
      if (n_tiles == 8) return LaunchShape<Eight>(native, MultiplySlices<Planar, Eight>, job);
      if (n_tiles == 2) return LaunchShape<Two>(native, MultiplySlices<Planar, Two>, job);
    }
    using Few = OneRowShape<Planar, kFewColumns, kNarrow>;
    LaunchShape<Few>(native, MultiplySlices<Planar, Few>, job);
  });
}

template <typename Planar, bool kRing>
void LaunchRows(void* native, const ProductJob& job) {
  const ProductRows& rows = job.rows;
  const auto are_few = [&](int most) { return rows.tiles == nullptr && (IsOneRowEach(rows) || rows.n_rows <= most); };
  if constexpr (kRing) {
    using Narrow = RowsShape<Planar, true, true>;
    if (are_few(kMatrixSide / 2)) return LaunchShape<Narrow>(native, MultiplySlices<Planar, Narrow>, job);
  }
  if constexpr (kIsTallWave) {
    using Wide = RowsShape<Planar, false, kRing, 2>;
    if (!are_few(kMatrixSide) && HasTallWaves(*static_cast<GpuContext*>(native)->traits)) {
      return LaunchShape<Wide>(native, MultiplySlices<Planar, Wide>, job);
    }
  }
  using Sixteen = RowsShape<Planar, false, kRing>;
  LaunchShape<Sixteen>(native, MultiplySlices<Planar, Sixteen>, job);
}

template <typename Planar>
void LaunchSlices(void* native, const ProductJob& job) {
  if (IsOneRowEach(job.rows) && job.args.x.n_cols <= kManyColumns) return LaunchOneRow<Planar>(native, job);
  WithWidth(native, [&]<bool kNarrow>() { LaunchRows<Planar, kNarrow>(native, job); });
}

template <typename Planar>
bool LaunchGatedOf(void* native, const ProductJob& job, const Glu::Args& glu, const UnitsPlace& units) {
  static_assert(kGatedColumns <= kFewColumns);
  if (job.args.x.n_cols > kGatedColumns) return false;
  WithWidth(native, [&]<bool kNarrow>() {
    using Shape = OneRowShape<Planar, kFewColumns, kNarrow, 2 * kTilesOfUnit>;
    const int64_t n_blocks = CeilDivide(glu.y.n_cols, Shape::kOutputs / 2);
    LaunchEarly(native, MultiplyGatedSlices<Planar, Shape>, dim3(static_cast<uint32_t>(n_blocks)),
                ThreadsOf(*static_cast<GpuContext*>(native)->traits), sizeof(typename Shape::Memory), job, glu, units);
  });
  return true;
}

}  // namespace

void LaunchSliceProduct(void* native, const ProductJob& job) {
  switch (job.args.parts[0].weight.format) {
#define RF_PLANAR_FORMAT(Name) \
  case Format::k##Name:        \
    return LaunchSlices<PlanarOf<Block##Name>>(native, job);
#include "hip/kernels/planar_formats.def"
#undef RF_PLANAR_FORMAT
    default: return;
  }
}

bool LaunchGatedSlices(void* native, const ProductJob& job, const Glu::Args& glu, const UnitsPlace& units) {
  switch (job.args.parts[0].weight.format) {
#define RF_PLANAR_FORMAT(Name) \
  case Format::k##Name:        \
    return LaunchGatedOf<PlanarOf<Block##Name>>(native, job, glu, units);
#include "hip/kernels/planar_formats.def"
#undef RF_PLANAR_FORMAT
    default: return false;
  }
}

}  // namespace rf::hip
