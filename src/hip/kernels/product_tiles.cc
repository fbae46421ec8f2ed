// Many rows: a block has 128 outputs (of F16 and BF16: 64) of 64 rows, and each of its waves a quarter of the outputs
// of all or half of the rows. Weights go straight to the registers of the waves that multiply them; activations,
// brought to their slices' exponents, through shared memory, half a stretch at a time: what lanes take of a stretch for
// its first two products, or for the others. There is room for two halves: while one is multiplied, the next is stored
// and the one after it is on its way to registers.
#include "hip/kernels/planar_weights.h"
#include "hip/kernels/product_planar.h"
#include "hip/kernels/product_slices.h"

namespace rf::hip {
namespace {

/// Whether a wave takes 64 rows. CDNA's waves have the registers, but half of them are for accumulation only, and the
/// compiler moves sums there and back in every stretch: 8.6 other instructions for each MFMA, 5.3 where a wave takes 32
/// rows (tools/amd_loop_mix.py). That leaves the targets with narrow products.
constexpr bool kHasTallTiles = kIsTallWave && kHasNarrow;
[[maybe_unused]] bool HasTallTiles(const GpuTraits& traits) {
  return HasTallWaves(traits) && HasNarrowProducts(traits);
}

template <int kTileRowsOf, int kWaveRowsOf, int kWaveOutputsOf = 32>
struct TileShape {
  static constexpr int kTileRows = kTileRowsOf;
  static constexpr int kWaveRows = kWaveRowsOf;
  static constexpr int kWaveOutputs = kWaveOutputsOf;
  static constexpr int kWavesAcross = 4;
  static constexpr int kTileOutputs = kWavesAcross * kWaveOutputs;
  static constexpr int kWaves = kWavesAcross * (kTileRows / kWaveRows);
  static constexpr int kPieces = kStretch / 2 / kPieceColumns;  ///< of half a stretch of a row
  struct Memory {
    /// Piece p of a row lies at p ^ row % kPieces: eight rows' pieces lie in different banks.
    Int4 x[2][kTileRows][kPieces];
    uint32_t exponents[kSlices][kTileRows];
    float scales[kSlices][kTileRows];
  };
};

/// The slice of a stretch, going forward; those without columns are passed over.
struct SliceCursor {
  int n_stretches;
  int slice;
  int end;  ///< of the slice, in stretches

  RF_DEVICE_MEMBER void Begin(int count) {
    n_stretches = count;
    slice = 0;
    end = SliceAt(count, 0).end;
  }
  RF_DEVICE_MEMBER int At(int stretch) {
    while (stretch >= end) end = SliceAt(n_stretches, ++slice).end;
    return slice;
  }
};

/// A thread's share of half a stretch of activations: a piece of some rows.
template <typename Shape>
struct RowStage {
  static constexpr int kLeastThreads = Shape::kWaves * 32;
  static constexpr int kMost = Shape::kTileRows * Shape::kPieces / kLeastThreads;
  HalfRows x;
  int64_t columns[kMost];  ///< where the rows of x begin
  Int4 pieces[kMost];
  uint32_t exponents[kMost];
  SliceCursor cursor;

  RF_DEVICE_MEMBER static int Threads() { return Shape::kWaves * WaveSize(); }
  RF_DEVICE_MEMBER static int Count() { return Shape::kTileRows * Shape::kPieces / Threads(); }
  RF_DEVICE_MEMBER static int Piece() { return static_cast<int>(threadIdx.x) % Shape::kPieces; }
  RF_DEVICE_MEMBER static int Row(int i) { return (static_cast<int>(threadIdx.x) + i * Threads()) / Shape::kPieces; }
  /// The first of the piece's columns, of the stretch's.
  RF_DEVICE_MEMBER static int ColumnOf(int half) {
    const int of_lane = 2 * PiecesOfLane();  // pieces of half a lane's share
    const int column = Piece() / of_lane * PiecesOfLane() * kHalfColumns + Piece() % of_lane * kPieceColumns;
    return column + half * of_lane * kPieceColumns;
  }

  /// Rows beyond the last repeat it; nobody writes them.
  RF_DEVICE_MEMBER static int64_t RowOfX(const ProductJob& job, const RowTile& tile, int row) {
    return hip::RowOfX(job, tile, row < tile.count ? row : tile.count - 1);
  }
  RF_DEVICE_MEMBER void Begin(const ProductJob& job, const RowTile& tile, int n_stretches) {
    x = job.halves;
    cursor.Begin(n_stretches);
    RF_UNROLL
    for (int i = 0; i < Count(); ++i) columns[i] = RowOfX(job, tile, Row(i)) * x.columns;
  }
  RF_DEVICE_MEMBER void Load(int stretch, int half) {
    const int column = stretch * kStretch + ColumnOf(half);
    RF_UNROLL
    for (int i = 0; i < Count(); ++i) {
      const int64_t at = columns[i] + column;
      pieces[i] = *reinterpret_cast<const Int4*>(x.values + at);
      exponents[i] = x.exponents[at / kHalfColumns];
    }
  }
  RF_DEVICE_MEMBER void Store(typename Shape::Memory& memory, int stretch, int buffer) {
    const int slice = cursor.At(stretch);
    RF_UNROLL
    for (int i = 0; i < Count(); ++i) {
      const int factor = UnitFactor(memory.exponents[slice][Row(i)], exponents[i]);
      memory.x[buffer][Row(i)][Piece() ^ (Row(i) % Shape::kPieces)] = MulPiece(pieces[i], factor);
    }
  }
};

/// The exponents of all slices of the tile's rows. All threads; a barrier must follow.
template <typename Shape>
RF_DEVICE void FindExponents(const ProductJob& job, const RowTile& tile, int n_stretches,
                             typename Shape::Memory& memory) {
  for (int i = static_cast<int>(threadIdx.x); i < kSlices * Shape::kTileRows; i += RowStage<Shape>::Threads()) {
    const int row = i % Shape::kTileRows;
    const int slice = i / Shape::kTileRows;
    const int64_t of_x = RowStage<Shape>::RowOfX(job, tile, row);
    const uint32_t exponent = LargestExponent(job.halves, of_x, SliceAt(n_stretches, slice), 0, 1);
    memory.exponents[slice][row] = exponent;
    memory.scales[slice][row] = SliceScale(exponent);
  }
}

/// A wave's sums: two tiles of outputs, some fragments of rows.
template <typename Planar, typename Shape>
struct WaveTile {
  static constexpr int kFragments = Shape::kWaveRows / kMatrixSide;
  static constexpr int kTiles = Shape::kWaveOutputs / kMatrixSide;
  using Memory = typename Shape::Memory;
  int row;     ///< of the block's tile
  int output;  ///< of the block's tile
  MatrixSums sums[kTiles][kFragments];
  MatrixSums totals[kTiles][kFragments];

  RF_DEVICE_MEMBER void Begin() {
    row = WaveIndex() / Shape::kWavesAcross * Shape::kWaveRows;
    output = WaveIndex() % Shape::kWavesAcross * Shape::kWaveOutputs;
    ForEachSum([&](int t, int f, int i) { totals[t][f].values[i] = kNoSlices; });
  }
  template <typename Use>
  RF_DEVICE_MEMBER static void ForEachSum(Use use) {
    RF_UNROLL
    for (int t = 0; t < kTiles; ++t) {
      RF_UNROLL
      for (int f = 0; f < kFragments; ++f) {
        RF_UNROLL
        for (int i = 0; i < MatrixValuesOfLane(); ++i) use(t, f, i);
      }
    }
  }

  RF_DEVICE_MEMBER HalfFragment LoadRows(const Memory& memory, int buffer, int f, int product) const {
    HalfFragment fragment{};
    RF_UNROLL
    for (int i = 0; i < LaneRows(); ++i) {
      const int at = row + f * kMatrixSide + LaneRow(i);
      RF_UNROLL
      for (int p = 0; p < PiecesOfLane(); ++p) {
        const int piece = (LanePart() * 2 + product % 2) * PiecesOfLane() + p;
        fragment.pieces[i][p] = memory.x[buffer][at][piece ^ (at % Shape::kPieces)];
      }
    }
    return fragment;
  }
  RF_DEVICE_MEMBER void Add(const HalfFragment (&weights)[kTiles], const Memory& memory, int buffer, int product) {
    RF_UNROLL
    for (int f = 0; f < kFragments; ++f) {
      const HalfFragment x = LoadRows(memory, buffer, f, product);
      RF_UNROLL
      for (int t = 0; t < kTiles; ++t) sums[t][f] = MultiplyHalves<false>(weights[t], x, sums[t][f]);
    }
  }
  RF_DEVICE_MEMBER void FinishSlice(const Memory& memory, int slice) {
    ForEachSum([&](int t, int f, int i) {
      const float scale = memory.scales[slice][row + f * kMatrixSide + MatrixRow(i)];
      totals[t][f].values[i] = AddSlice(totals[t][f].values[i], sums[t][f].values[i], scale);
      sums[t][f].values[i] = 0.0f;
    });
  }
  RF_DEVICE_MEMBER void Store(const ProductJob& job, const OutputTile& outputs, const RowTile& rows) const {
    ForEachSum([&](int t, int f, int i) {
      const int in_tile = row + f * kMatrixSide + MatrixRow(i);
      const int first = output + t * kMatrixSide;
      const int of_tile = first + MatrixOutput(i);
      if (in_tile >= rows.count || of_tile >= outputs.count) return;
      const int32_t* powers =
          ExponentsOfTile(Planar::Shape(), outputs.part.weight, rows.matrix, (outputs.first + first) / kMatrixSide);
      StoreOutput(job, outputs.part, RowIn(job.rows, rows, in_tile), outputs.first + of_tile,
                  TimesPower(totals[t][f].values[i], powers[MatrixOutput(i)]));
    });
  }
};

/// The wave's tiles of weights. Tiles beyond the last repeat it.
template <typename Planar, int kTiles>
struct WaveWeights {
  const unsigned char* tiles[kTiles];
  LaneRecord<Planar> records[kTiles];

  RF_DEVICE_MEMBER void Begin(const OutputTile& outputs, int matrix, int output) {
    const auto last = static_cast<int>(TilesOf(outputs.part.weight.n_rows)) - 1;
    RF_UNROLL
    for (int t = 0; t < kTiles; ++t) {
      const int tile = (outputs.first + output) / kMatrixSide + t;
      tiles[t] = TileAt<Planar>(outputs.part.weight, matrix, tile < last ? tile : last);
    }
  }
  RF_DEVICE_MEMBER void Load(int stretch) {
    RF_UNROLL
    for (int t = 0; t < kTiles; ++t) records[t].Load(tiles[t], stretch);
  }
};

template <typename Planar, typename Shape>
RF_KERNEL RF_LAUNCH_BOUNDS(Shape::kWaves* kWaveLanes) MultiplyTiles(ProductJob job, int n_row_tiles) {
  if constexpr (kHasMatrixInstructions && (kHasTallTiles || Shape::kWaveRows <= 32)) {
    using Tile = WaveTile<Planar, Shape>;
    auto& shared = Shared<typename Shape::Memory>();
    const int block = static_cast<int>(blockIdx.x);
    const RowTile rows = RowTileAt(job.rows, block % n_row_tiles, Shape::kTileRows);
    if (rows.count == 0) return;
    const OutputTile outputs = OutputTileAt(job, block / n_row_tiles, Shape::kTileOutputs);
    const auto n_stretches = static_cast<int>(StretchesOfColumns(job.args.x.n_cols));
    Tile tile{};
    tile.Begin();
    RowStage<Shape> stage{};
    stage.Begin(job, rows, n_stretches);
    WaveWeights<Planar, Tile::kTiles> weights;
    weights.Begin(outputs, rows.matrix, tile.output);
    weights.Load(0);
    stage.Load(0, 0);
    FindExponents<Shape>(job, rows, n_stretches, shared);
    BlockBarrier();
    stage.Store(shared, 0, 0);
    stage.Load(0, 1);
    BlockBarrier();
    SliceCursor cursor{};
    cursor.Begin(n_stretches);
    for (int stretch = 0; stretch < n_stretches; ++stretch) {
      const bool is_last = stretch + 1 == n_stretches;
      const int slice = cursor.At(stretch);
      LaneScales<Planar> scales[Tile::kTiles];
      RF_UNROLL
      for (int t = 0; t < Tile::kTiles; ++t) scales[t] = LaneScales<Planar>(weights.records[t]);
      RF_UNROLL
      for (int half = 0; half < 2; ++half) {
        // The next half goes to the other buffer, and the one after it to registers.
        if (half == 0 || !is_last) stage.Store(shared, stretch + half, 1 - half);
        if (!is_last) stage.Load(stretch + 1, half);
        RF_UNROLL
        for (int product = 2 * half; product < 2 * half + 2; ++product) {
          HalfFragment fragments[Tile::kTiles];
          RF_UNROLL
          for (int t = 0; t < Tile::kTiles; ++t) {
            fragments[t] = WeightsOf<Planar>(weights.records[t], scales[t], product);
          }
          if (product == kProductsOfStretch - 1 && !is_last) weights.Load(stretch + 1);
          if (tile.row < rows.count) tile.Add(fragments, shared, half, product);
        }
        if (half == 1 && stretch + 1 == cursor.end) tile.FinishSlice(shared, slice);
        BlockBarrier();
      }
    }
    tile.Store(job, outputs, rows);
  }
}

template <typename Planar, typename Shape>
void LaunchShape(void* native, ProductJob& job) {
  const dim3 tiles = PlanTiles(job, Shape::kTileOutputs, Shape::kTileRows);
  const GpuTraits& traits = *static_cast<GpuContext*>(native)->traits;
  Launch(native, MultiplyTiles<Planar, Shape>, dim3(tiles.x * tiles.y), Shape::kWaves * traits.wave_size,
         sizeof(typename Shape::Memory), job, static_cast<int>(tiles.y));
}

template <typename Shape>
int64_t CountTiles(ProductJob job) {
  const dim3 tiles = PlanTiles(job, Shape::kTileOutputs, Shape::kTileRows);
  return int64_t{tiles.x} * tiles.y;
}

// As many rows in four waves with 64 of them each, or in eight with 32. Two blocks of 64 rows were faster than one of
// 128.
using TallShape = TileShape<64, 64>;
using LowShape = TileShape<64, 32>;
// Of weights that are halves, which take more registers.
using HalvesShape = TileShape<64, 32, 16>;

template <typename Planar>
void LaunchTiles(void* native, ProductJob job) {
  if constexpr (kIsHalves<Planar>) {
    LaunchShape<Planar, HalvesShape>(native, job);
  } else {
    if constexpr (kHasTallTiles) {
      if (HasTallTiles(*static_cast<GpuContext*>(native)->traits)) return LaunchShape<Planar, TallShape>(native, job);
    }
    LaunchShape<Planar, LowShape>(native, job);
  }
}

// Fewer rows leave most of a tile empty, or most processors without one; experts have so many on average.
constexpr int kFewestRows = 33;
constexpr int kFewestExpertRows = 24;

bool FillsTiles(const ProductJob& job, const GpuTraits& traits) {
  if (job.rows.ids == nullptr) {
    return job.rows.n_rows >= kFewestRows && 3 * CountTiles<TallShape>(job) >= traits.n_processors;
  }
  return job.rows.tiles != nullptr && job.rows.n_rows >= kFewestExpertRows * job.args.parts[0].weight.n_matrices;
}

}  // namespace

bool IsForTiles(const void* native, const ProductJob& job) {
  return FillsTiles(job, *static_cast<const GpuContext*>(native)->traits);
}

bool LaunchTileProduct(void* native, const ProductJob& job) {
  if (!IsForTiles(native, job)) return false;
  switch (job.args.parts[0].weight.format) {
#define RF_PLANAR_FORMAT(Name)                       \
  case Format::k##Name:                              \
    LaunchTiles<PlanarOf<Block##Name>>(native, job); \
    return true;
#include "hip/kernels/planar_formats.def"
#undef RF_PLANAR_FORMAT
    default: return false;
  }
}

}  // namespace rf::hip
