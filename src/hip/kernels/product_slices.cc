#include "hip/kernels/product_slices.h"

#include "hip/kernels/activation.h"

namespace rf::hip {
namespace {

[[maybe_unused]] constexpr int kThreads = kSlices * kWaveLanes;

template <typename Planar, typename Shape>
RF_DEVICE void MultiplySliceTile(const ProductJob& job, int n_row_tiles) {
  AdmitNext();
  auto& shared = Shared<typename Shape::Memory>();
  // Which experts there are is computed before.
  if (job.rows.ids != nullptr || job.rows.tiles != nullptr) AwaitPrevious();
  const auto block = static_cast<int>(blockIdx.x);
  const int output_tile = n_row_tiles == 1 ? block : block / n_row_tiles;
  const RowTile rows = RowTileAt(job.rows, block - output_tile * n_row_tiles, Shape::kRows);
  if (rows.count == 0) return;
  const OutputTile outputs = OutputTileAt(job, output_tile, Shape::kOutputs);
  const WeightView& weight = outputs.part.weight;
  const int tile = outputs.first / kMatrixSide;
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
  const int32_t* powers = ExponentsOfTile(Planar::Shape(), weight, rows.matrix, 0);
  const auto tile_of = [&](int i) { return TileAt<Planar>(weight, rows.matrix, tile + i); };
  const auto load_addends = [&] {
    for_each([&](OutputAddends& of, int row, int output) {
      of.Load(job, outputs.part, powers, RowIn(job.rows, rows, row), outputs.first + output);
    });
  };
  MultiplySlice<Planar, Shape>(job, rows, tile_of, load_addends, shared);
  BlockBarrier();
  const auto n_stretches = static_cast<int>(StretchesOfColumns(job.args.x.n_cols));
  for_each([&](const OutputAddends& of, int row, int output) {
    of.Store(job, outputs.part, RowIn(job.rows, rows, row), outputs.first + output,
             JoinSlices<Shape>(shared, n_stretches, output, row));
  });
}

template <typename Planar, typename Shape>
RF_KERNEL RF_BLOCKS_AT_ONCE(kThreads, Shape::kBlocksAtOnce) MultiplySlices(ProductJob job, int n_row_tiles) {
  if constexpr (kHasMatrixInstructions) MultiplySliceTile<Planar, Shape>(job, n_row_tiles);
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

int ThreadsOf(const GpuTraits& traits) {
  return kSlices * traits.wave_size;
}

template <typename Shape>
void LaunchShape(void* native, void (*kernel)(ProductJob, int), ProductJob job) {
  const dim3 tiles = PlanTiles(job, Shape::kOutputs, Shape::kRows);
  const GpuTraits& traits = *static_cast<GpuContext*>(native)->traits;
  LaunchEarly(native, kernel, dim3(tiles.x * tiles.y), ThreadsOf(traits), sizeof(typename Shape::Memory), job,
              static_cast<int>(tiles.y));
}

// Columns of a row that shared memory has room for: so many that several blocks fit, or as many as one may have.
constexpr int kFewColumns = 8192;
constexpr int kManyColumns = 20480;

// Of a block's rings together: so many that a processor has room for four blocks of one row of kFewColumns, or for two
// of kManyColumns.
constexpr int kRingBytes = 32 << 10;
constexpr int kProcessorBytes = 227 << 10;  // of Hopper's, a KiB of which goes to each block
constexpr int kLongRingBytes = 48 << 10;
constexpr int kTwoRingsBytes = 40 << 10;  // of each of two tiles, so that a block has less than 99 KiB

// Stretches in registers: fewer where those are few, and of weights that take more of them.
template <typename Planar, bool kIsOneRow, int kAhead>
constexpr int CountHeld() {
  if (kIsHalves<Planar>) return kIsTallWave ? 2 : 1;
  if (kIsTallWave) return kAhead;
  return Planar::kLowBits == 8 && !kIsOneRow ? 1 : 2;
}

// Where there are narrow products there are rings, but for weights that are halves: three stretches of those for each
// wave would be more than a block may have on many GPUs.
template <typename Planar, typename Ring, bool kNarrow, bool kIsOneRow, int kAhead>
using WeightsFor = std::conditional_t<kNarrow && !kIsHalves<Planar>, Ring,
                                      HeldStretches<Planar, CountHeld<Planar, kIsOneRow, kAhead>()>>;

template <typename Planar, int kColumns>
using RingOfOneRow = RingStretches<Planar, (kColumns <= kFewColumns ? kRingBytes : kLongRingBytes) / kSlices>;
// Rows' activations cost more than weights: a wave takes two tiles for up to sixteen, if their stretches are small.
template <typename Planar, int kFragments>
constexpr bool kTakesTwo = kFragments == 1 && RecordBytes(Planar::Shape()) <= 1792;
template <typename Planar, int kFragments>
using RingOfRows = RingStretches<Planar, (kTakesTwo<Planar, kFragments> ? kTwoRingsBytes : kLongRingBytes) / kSlices,
                                 kTakesTwo<Planar, kFragments> ? 2 : 1>;

// Of one row in shared memory.
template <typename Planar, int kColumns, bool kNarrow, int kTiles = 1>
struct OneRowShape : SliceShape<SharedRow<kColumns>,
                                WeightsFor<Planar, RingOfOneRow<Planar, kColumns>, kNarrow, true, kTiles == 1 ? 3 : 4>,
                                1, kNarrow, kTiles> {
  static constexpr bool kHasRoom = (sizeof(typename OneRowShape::Memory) + (1 << 10)) * 4 <= kProcessorBytes;
  static constexpr int kBlocksAtOnce =
      kNarrow && kColumns <= kFewColumns && !kIsHalves<Planar> ? (kHasRoom ? 4 : 3) : 2;
};
template <typename Planar, bool kNarrow, bool kRing, int kFragments = 1, int kTiles = 1>
struct RowsShape
    : SliceShape<DirectRows<kFragments, kNarrow>, WeightsFor<Planar, RingOfRows<Planar, kFragments>, kRing, false, 2>,
                 kNarrow ? kMatrixSide / 2 : kFragments * kMatrixSide, kNarrow, kTiles> {
  // Two tiles and sixteen rows take more registers than two blocks have.
  static constexpr bool kTakesMost = kRing && !kNarrow && kTakesTwo<Planar, kFragments>;
  static constexpr int kBlocksAtOnce = kFragments == 1 && !kTakesMost ? 2 : 1;
};

// Calls use<kNarrow>() as the device has it.
template <typename Use>
void WithWidth(const void* native, Use use) {
  if constexpr (kIsAlwaysNarrow) {
    use.template operator()<true>();
  } else {
    if constexpr (kHasNarrow) {
      if (HasNarrowProducts(*static_cast<const GpuContext*>(native)->traits)) return use.template operator()<true>();
    }
    use.template operator()<false>();
  }
}

// How many tiles of outputs a block of one row takes: one where that keeps all processors at work, more where blocks
// would follow one another.
[[maybe_unused]] int TilesOfBlock(const GpuTraits& traits, const ProductJob& job) {
  int64_t n_tiles = 0;
  for (int p = 0; p < job.args.n_parts; ++p) n_tiles += TilesOf(job.args.parts[p].weight.n_rows);
  n_tiles *= job.rows.n_rows;
  if (n_tiles <= 3 * traits.n_processors) return 1;
  return n_tiles < 16 * traits.n_processors ? 2 : 8;
}

template <typename Planar>
void LaunchOneRow(void* native, const ProductJob& job) {
  WithWidth(native, [&]<bool kNarrow>() {
    using Many = OneRowShape<Planar, kManyColumns, kNarrow>;
    if (job.args.x.n_cols > kFewColumns) return LaunchShape<Many>(native, MultiplySlices<Planar, Many>, job);
    if constexpr (kNarrow) {
      using Two = OneRowShape<Planar, kFewColumns, kNarrow, 2>;
      using Eight = OneRowShape<Planar, kFewColumns, kNarrow, 8>;
      const int n_tiles = TilesOfBlock(*static_cast<GpuContext*>(native)->traits, job);
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
