#include "hip/kernels/product_slices.h"

#include "hip/kernels/activation.h"

namespace rf::hip {
namespace {

constexpr int kThreads = kSlices * kWaveLanes;

template <typename Planar, typename Shape>
RF_DEVICE void MultiplySliceTile(const ProductJob& job, int n_row_tiles) {
  auto& shared = Shared<typename Shape::Memory>();
  const auto block = static_cast<int>(blockIdx.x);
  const int output_tile = n_row_tiles == 1 ? block : block / n_row_tiles;
  const RowTile rows = RowTileAt(job.rows, block - output_tile * n_row_tiles, Shape::kRows);
  if (rows.count == 0) return;
  const OutputTile outputs = OutputTileAt(job, output_tile, Shape::kOutputs);
  const WeightView& weight = outputs.part.weight;
  const int tile = outputs.first / kMatrixSide;
  const unsigned char* const bytes = TileAt<Planar>(weight, rows.matrix, tile);
  // A thread's outputs; few threads have more than one.
  constexpr int kValues = Shape::kOutputs * Shape::kRows;
  constexpr int kLeastThreads = kSlices * 32;
  constexpr int kMost = (kValues + kLeastThreads - 1) / kLeastThreads;
  OutputAddends addends[kMost];
  const auto for_each = [&](auto use) {
    RF_UNROLL
    for (int k = 0; k < kMost; ++k) {
      const int i = static_cast<int>(threadIdx.x) + k * kSlices * WaveSize();
      const int row = i / Shape::kOutputs;
      const int output = i % Shape::kOutputs;
      if (i < kValues && row < rows.count && output < outputs.count) use(addends[k], row, output);
    }
  };
  const int32_t* powers = ExponentsOfTile(Planar::Shape(), weight, rows.matrix, tile);
  for_each([&](OutputAddends& of, int row, int output) {
    of.Load(job, outputs.part, powers, RowIn(job.rows, rows, row), outputs.first + output);
  });
  MultiplySlice<Planar, Shape>(
      job, rows, [&](int) { return bytes; }, shared);
  BlockBarrier();
  const auto n_stretches = static_cast<int>(StretchesOfColumns(job.args.x.n_cols));
  for_each([&](const OutputAddends& of, int row, int output) {
    of.Store(job, outputs.part, RowIn(job.rows, rows, row), outputs.first + output,
             JoinSlices<Shape>(shared, n_stretches, output, row));
  });
}

template <typename Planar, typename Shape>
RF_KERNEL RF_TWO_BLOCKS(kThreads) MultiplySlices(ProductJob job, int n_row_tiles) {
  if constexpr (kHasMatrixInstructions) MultiplySliceTile<Planar, Shape>(job, n_row_tiles);
}
// Of so many rows that a thread needs more registers.
template <typename Planar, typename Shape>
RF_KERNEL RF_LAUNCH_BOUNDS(kThreads) MultiplyWideSlices(ProductJob job, int n_row_tiles) {
  if constexpr (kHasMatrixInstructions) MultiplySliceTile<Planar, Shape>(job, n_row_tiles);
}

constexpr int kTilesOfUnit = kUnit / kMatrixSide;

// Gate and up for one row with their gated unit: a block has the same kUnit columns of both, tiles of gate first.
template <typename Planar, typename Shape>
RF_KERNEL RF_TWO_BLOCKS(kThreads) MultiplyGatedSlices(ProductJob job, Glu::Args glu, UnitsPlace units) {
  if constexpr (kHasMatrixInstructions) {
    static_assert(Shape::kPasses == 2 * kTilesOfUnit);
    auto& shared = Shared<typename Shape::Memory>();
    const int first = static_cast<int>(blockIdx.x) * kUnit;
    const int first_tile = first / kMatrixSide;
    const WeightView& gate = job.args.parts[0].weight;
    const WeightView& up = job.args.parts[1].weight;
    const auto thread = static_cast<int>(threadIdx.x);
    const bool is_gate = thread < kUnit;
    const MatMul::Part& part = is_gate ? job.args.parts[0] : job.args.parts[1];
    const int output = first + thread % kUnit;
    OutputAddends addends{};
    if (thread < Shape::kOutputs) {
      const int32_t* powers = ExponentsOfTile(Planar::Shape(), part.weight, 0, output / kMatrixSide);
      addends.Load(job, part, powers, 0, output);
    }
    const auto tile_of = [&](int pass) {
      return TileAt<Planar>(pass < kTilesOfUnit ? gate : up, 0, first_tile + pass % kTilesOfUnit);
    };
    MultiplySlice<Planar, Shape>(job, {0, 0, 1}, tile_of, shared);
    BlockBarrier();
    if (thread < Shape::kOutputs) {
      const auto n_stretches = static_cast<int>(StretchesOfColumns(job.args.x.n_cols));
      shared.outputs[thread] = addends.Store(job, part, 0, output, JoinSlices<Shape>(shared, n_stretches, thread, 0));
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

template <typename Shape>
void LaunchShape(void* native, void (*kernel)(ProductJob, int), ProductJob& job) {
  const dim3 tiles = PlanTiles(job, Shape::kOutputs, Shape::kRows);
  const GpuTraits& traits = *static_cast<GpuContext*>(native)->traits;
  Launch(native, kernel, dim3(tiles.x * tiles.y), ThreadsOf(traits), sizeof(typename Shape::Memory), job,
         static_cast<int>(tiles.y));
}

// Columns of a row that shared memory has room for: so many that several blocks fit, or as many as one may have.
constexpr int kFewColumns = 8192;
constexpr int kManyColumns = 20480;

// Of one row in shared memory.
template <int kColumns, bool kNarrow, int kPasses = 1>
using OneRowShape = SliceShape<SharedRow<kColumns>, 1, kNarrow, kPasses == 1 ? 3 : 4, kPasses>;
template <bool kNarrow, int kFragments = 1>
using RowsShape =
    SliceShape<DirectRows<kFragments, kNarrow>, kNarrow ? kMatrixSide / 2 : kFragments * kMatrixSide, kNarrow, 2>;

// Calls use<kNarrow>() as the device has it.
template <typename Use>
void WithWidth(const void* native, Use use) {
  if constexpr (kHasNarrow) {
    if (HasNarrowProducts(*static_cast<const GpuContext*>(native)->traits)) return use.template operator()<true>();
  }
  use.template operator()<false>();
}

template <typename Planar>
void LaunchSlices(void* native, ProductJob job) {
  const ProductRows& rows = job.rows;
  const int64_t n_cols = job.args.x.n_cols;
  if (IsOneRowEach(rows) && n_cols <= kManyColumns) {
    return WithWidth(native, [&]<bool kNarrow>() {
      using Few = OneRowShape<kFewColumns, kNarrow>;
      using Many = OneRowShape<kManyColumns, kNarrow>;
      if (n_cols <= kFewColumns) return LaunchShape<Few>(native, MultiplySlices<Planar, Few>, job);
      LaunchShape<Many>(native, MultiplySlices<Planar, Many>, job);
    });
  }
  const auto are_few = [&](int most) { return rows.tiles == nullptr && (IsOneRowEach(rows) || rows.n_rows <= most); };
  if constexpr (kHasNarrow) {
    using Narrow = RowsShape<true>;
    if (are_few(kMatrixSide / 2) && HasNarrowProducts(*static_cast<GpuContext*>(native)->traits)) {
      return LaunchShape<Narrow>(native, MultiplySlices<Planar, Narrow>, job);
    }
  }
  using Sixteen = RowsShape<false>;
  if constexpr (kIsTallWave) {
    using Wide = RowsShape<false, 2>;
    if (!are_few(kMatrixSide) && HasTallWaves(*static_cast<GpuContext*>(native)->traits)) {
      return LaunchShape<Wide>(native, MultiplyWideSlices<Planar, Wide>, job);
    }
  }
  LaunchShape<Sixteen>(native, MultiplySlices<Planar, Sixteen>, job);
}

template <typename Planar>
bool LaunchGatedOf(void* native, const ProductJob& job, const Glu::Args& glu, const UnitsPlace& units) {
  if (job.args.x.n_cols > kFewColumns) return false;
  const dim3 grid(static_cast<uint32_t>(glu.y.n_cols / kUnit));
  WithWidth(native, [&]<bool kNarrow>() {
    using Shape = OneRowShape<kFewColumns, kNarrow, 2 * kTilesOfUnit>;
    Launch(native, MultiplyGatedSlices<Planar, Shape>, grid, ThreadsOf(*static_cast<GpuContext*>(native)->traits),
           sizeof(typename Shape::Memory), job, glu, units);
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
