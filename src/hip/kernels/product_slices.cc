#include "hip/kernels/product_slices.h"

#include "hip/kernels/activation.h"

namespace rf::hip {
namespace {

constexpr int kThreads = kSlices * kWaveLanes;

template <typename Planar, typename Shape>
RF_KERNEL RF_TWO_BLOCKS(kThreads) MultiplySlices(ProductJob job, int n_row_tiles) {
  if constexpr (kHasMatrixInstructions) {
    auto& shared = Shared<typename Shape::Memory>();
    const auto block = static_cast<int>(blockIdx.x);
    const int output_tile = n_row_tiles == 1 ? block : block / n_row_tiles;
    const RowTile rows = RowTileAt(job.rows, block - output_tile * n_row_tiles, Shape::kRows);
    if (rows.count == 0) return;
    const OutputTile outputs = OutputTileAt(job, output_tile, Shape::kOutputs);
    const WeightView& weight = outputs.part.weight;
    const int tile = outputs.first / kMatrixSide;
    const unsigned char* const bytes = TileAt<Planar>(weight, rows.matrix, tile);
    MultiplySlice<Planar, Shape>(job, rows, [&](int) { return bytes; }, shared);
    BlockBarrier();
    const auto n_stretches = static_cast<int>(StretchesOfColumns(job.args.x.n_cols));
    const int32_t* powers = ExponentsOfTile(Planar::Shape(), weight, rows.matrix, tile);
    for (int i = static_cast<int>(threadIdx.x); i < Shape::kOutputs * Shape::kRows; i += kSlices * WaveSize()) {
      const int output = i % Shape::kOutputs;
      const int row = i / Shape::kOutputs;
      if (row >= rows.count || output >= outputs.count) continue;
      const float sum = TimesPower(JoinSlices<Shape>(shared, n_stretches, output, row), powers[output]);
      StoreOutput(job, outputs.part, RowIn(job.rows, rows, row), outputs.first + output, sum);
    }
  }
}

// Gate and up for one row with their gated unit: a block has the same kUnit columns of both, tiles of gate first.
template <bool kNarrow>
struct GatedSliceShape : SliceShape<1, kNarrow, 2 * kUnit / kMatrixSide, 1> {
  static constexpr int kTilesOfUnit = kUnit / kMatrixSide;
};

template <typename Planar, typename Shape>
RF_KERNEL RF_TWO_BLOCKS(kThreads) MultiplyGatedSlices(ProductJob job, Glu::Args glu, UnitsPlace units) {
  if constexpr (kHasMatrixInstructions) {
    auto& shared = Shared<typename Shape::Memory>();
    const int first = static_cast<int>(blockIdx.x) * kUnit;
    const int first_tile = first / kMatrixSide;
    const WeightView& gate = job.args.parts[0].weight;
    const WeightView& up = job.args.parts[1].weight;
    const auto tile_of = [&](int pass) {
      const bool is_gate = pass < Shape::kTilesOfUnit;
      return TileAt<Planar>(is_gate ? gate : up, 0, first_tile + pass % Shape::kTilesOfUnit);
    };
    MultiplySlice<Planar, Shape>(job, {0, 0, 1}, tile_of, shared);
    BlockBarrier();
    const auto thread = static_cast<int>(threadIdx.x);
    if (thread < Shape::kOutputs) {
      const auto n_stretches = static_cast<int>(StretchesOfColumns(job.args.x.n_cols));
      const bool is_gate = thread < kUnit;
      const int output = first + thread % kUnit;
      const int32_t* powers =
          ExponentsOfTile(Planar::Shape(), is_gate ? gate : up, 0, output / kMatrixSide);
      const float sum = TimesPower(JoinSlices<Shape>(shared, n_stretches, thread, 0), powers[output % kMatrixSide]);
      const MatMul::Part& part = is_gate ? job.args.parts[0] : job.args.parts[1];
      shared.outputs[thread] = StoreOutput(job, part, 0, output, sum);
    }
    BlockBarrier();
    if (WaveIndex() != 0) return;
    const bool is_there = Lane() < kLanesOfUnit;
    const int column = is_there ? Lane() * 4 : 0;
    const Float4 y = GluOf(glu.attrs.activation, *reinterpret_cast<const Float4*>(&shared.outputs[column]),
                           *reinterpret_cast<const Float4*>(&shared.outputs[kUnit + column]));
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

int ThreadsOf(const GpuTraits& traits) {
  return kSlices * traits.wave_size;
}

template <typename Planar, typename Shape>
void LaunchShape(void* native, ProductJob& job) {
  const dim3 tiles = PlanTiles(job, Shape::kOutputs, Shape::kRows);
  const GpuTraits& traits = *static_cast<GpuContext*>(native)->traits;
  Launch(native, MultiplySlices<Planar, Shape>, dim3(tiles.x * tiles.y), ThreadsOf(traits),
         sizeof(typename Shape::Memory), job, static_cast<int>(tiles.y));
}

template <typename Planar>
void LaunchSlices(void* native, ProductJob job) {
  const GpuTraits& traits = *static_cast<GpuContext*>(native)->traits;
  const int n_rows = IsOneRowEach(job.rows) ? 1 : job.rows.n_rows;
  if (job.rows.tiles == nullptr && n_rows <= kMatrixSide / 2 && HasNarrowProducts(traits)) {
    return LaunchShape<Planar, SliceShape<1, true>>(native, job);
  }
  if (job.rows.tiles == nullptr && n_rows <= kMatrixSide) return LaunchShape<Planar, SliceShape<1, false>>(native, job);
  LaunchShape<Planar, SliceShape<2, false>>(native, job);
}

template <typename Planar>
void LaunchGatedOf(void* native, const ProductJob& job, const Glu::Args& glu, const UnitsPlace& units) {
  const GpuTraits& traits = *static_cast<GpuContext*>(native)->traits;
  const dim3 grid(static_cast<uint32_t>(glu.y.n_cols / kUnit));
  const auto launch = [&]<typename Shape>(Shape) {
    Launch(native, MultiplyGatedSlices<Planar, Shape>, grid, ThreadsOf(traits), sizeof(typename Shape::Memory), job, glu,
           units);
  };
  if (HasNarrowProducts(traits)) {
    launch(GatedSliceShape<true>{});
  } else {
    launch(GatedSliceShape<false>{});
  }
}

}  // namespace

void LaunchSliceProduct(void* native, const ProductJob& job) {
  switch (job.args.parts[0].weight.format) {
#define RF_INTEGER_FORMAT(Name) \
  case Format::k##Name: return LaunchSlices<PlanarOf<Block##Name>>(native, job);
#include "hip/kernels/integer_formats.def"
#undef RF_INTEGER_FORMAT
    default: return;
  }
}

bool LaunchGatedSlices(void* native, const ProductJob& job, const Glu::Args& glu, const UnitsPlace& units) {
  if (!HasMatrixInstructions(*static_cast<GpuContext*>(native)->traits)) return false;
  switch (job.args.parts[0].weight.format) {
#define RF_INTEGER_FORMAT(Name)                                         \
  case Format::k##Name:                                                 \
    LaunchGatedOf<PlanarOf<Block##Name>>(native, job, glu, units);      \
    return true;
#include "hip/kernels/integer_formats.def"
#undef RF_INTEGER_FORMAT
    default: return false;
  }
}

}  // namespace rf::hip
