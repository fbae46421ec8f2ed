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
  /// Sums of 64 rows twice are all of a lane's registers but those that it computes with: the compiler stores some of
  /// them and loads them again in every stretch. The totals, which change eight times, have a place in shared memory.
  static constexpr bool kSharesTotals = kWaveRows > 32;
  static constexpr int kPieces = kStretch / 2 / kPieceColumns;  ///< of half a stretch of a row
  struct Memory {
    /// Piece p of a row lies at p ^ row % kPieces: eight rows' pieces lie in different banks.
    Int4 x[2][kTileRows][kPieces];
    uint8_t exponents[kSlices][kTileRows];  ///< so small that two blocks fit in 100 KiB
    /// A thread's own, one behind those of all threads: in a bank of its own.
    float totals[kSharesTotals ? kTileRows * kTileOutputs : 1];
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
  uint32_t first[kMost];  ///< of the rows of x, in pieces: addresses of 32 bits take fewer registers
  Int4 pieces[kMost];
  uint32_t exponents[kMost];

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
  RF_DEVICE_MEMBER void Begin(const ProductJob& job, const RowTile& tile) {
    x = job.halves;
    RF_UNROLL
    for (int i = 0; i < Count(); ++i) {
      first[i] = static_cast<uint32_t>(RowOfX(job, tile, Row(i)) * (x.columns / kPieceColumns));
    }
  }
  RF_DEVICE_MEMBER void Load(int stretch, int half) {
    const auto* values = reinterpret_cast<const Int4*>(x.values);
    const auto piece = static_cast<uint32_t>((stretch * kStretch + ColumnOf(half)) / kPieceColumns);
    RF_UNROLL
    for (int i = 0; i < Count(); ++i) {
      const uint32_t at = first[i] + piece;
      pieces[i] = values[at];
      exponents[i] = x.exponents[at / (kHalfColumns / kPieceColumns)];
    }
  }
  RF_DEVICE_MEMBER void Store(typename Shape::Memory& memory, int slice, int buffer) const {
    int factors[kMost];
    RF_UNROLL
    for (int i = 0; i < Count(); ++i) factors[i] = UnitFactor(memory.exponents[slice][Row(i)], exponents[i]);
    RF_UNROLL
    for (int i = 0; i < Count(); ++i) {
      memory.x[buffer][Row(i)][Piece() ^ (Row(i) % Shape::kPieces)] = MulPiece(pieces[i], factors[i]);
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
    memory.exponents[slice][row] =
        static_cast<uint8_t>(LargestExponent(job.halves, of_x, SliceAt(n_stretches, slice), 0, 1));
  }
}

/// A wave's sums: some tiles of outputs, some fragments of rows.
template <typename Planar, typename Shape>
struct WaveTile {
  static constexpr int kFragments = Shape::kWaveRows / kMatrixSide;
  static constexpr int kTiles = Shape::kWaveOutputs / kMatrixSide;
  using Memory = typename Shape::Memory;
  int row;     ///< of the block's tile
  int output;  ///< of the block's tile
  MatrixSums sums[kTiles][kFragments];
  MatrixSums totals[Shape::kSharesTotals ? 1 : kTiles][Shape::kSharesTotals ? 1 : kFragments];

  RF_DEVICE_MEMBER float& TotalAt(Memory& memory, int t, int f, int i) {
    if constexpr (Shape::kSharesTotals) {
      const int total = (t * kFragments + f) * MatrixValuesOfLane() + i;
      return memory.totals[total * RowStage<Shape>::Threads() + static_cast<int>(threadIdx.x)];
    } else {
      return totals[t][f].values[i];
    }
  }
  RF_DEVICE_MEMBER void Begin(Memory& memory) {
    row = WaveIndex() / Shape::kWavesAcross * Shape::kWaveRows;
    output = WaveIndex() % Shape::kWavesAcross * Shape::kWaveOutputs;
    ForEachSum([&](int t, int f, int i) { TotalAt(memory, t, f, i) = kNoSlices; });
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
    static_assert(kMatrixSide % Shape::kPieces == 0);
    HalfFragment fragment{};
    RF_UNROLL
    for (int i = 0; i < LaneRows(); ++i) {
      const int at = row + f * kMatrixSide + LaneRow(i);
      RF_UNROLL
      for (int p = 0; p < PiecesOfLane(); ++p) {
        const int piece = (LanePart() * 2 + product % 2) * PiecesOfLane() + p;
        fragment.pieces[i][p] = memory.x[buffer][at][piece ^ (LaneRow(i) % Shape::kPieces)];
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
  RF_DEVICE_MEMBER void FinishSlice(Memory& memory, int slice) {
    float scales[kFragments][kMatrixValues];
    RF_UNROLL
    for (int f = 0; f < kFragments; ++f) {
      RF_UNROLL
      for (int i = 0; i < MatrixValuesOfLane(); ++i) {
        scales[f][i] = SliceScale(memory.exponents[slice][row + f * kMatrixSide + MatrixRow(i)]);
      }
    }
    ForEachSum([&](int t, int f, int i) {
      float& total = TotalAt(memory, t, f, i);
      total = AddSlice(total, sums[t][f].values[i], scales[f][i]);
      sums[t][f].values[i] = 0.0f;
    });
  }
  RF_DEVICE_MEMBER void Store(const ProductJob& job, const OutputTile& outputs, const RowTile& rows, Memory& memory) {
    ForEachSum([&](int t, int f, int i) {
      const int in_tile = row + f * kMatrixSide + MatrixRow(i);
      const int first = output + t * kMatrixSide;
      const int of_tile = first + MatrixOutput(i);
      if (in_tile >= rows.count || of_tile >= outputs.count) return;
      const int32_t* powers =
          ExponentsOfTile(Planar::Shape(), outputs.part.weight, rows.matrix, (outputs.first + first) / kMatrixSide);
      StoreOutput(job, outputs.part, RowIn(job.rows, rows, in_tile), outputs.first + of_tile,
                  TimesPower(TotalAt(memory, t, f, i), powers[MatrixOutput(i)]));
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
    tile.Begin(shared);
    RowStage<Shape> stage{};
    stage.Begin(job, rows);
    WaveWeights<Planar, Tile::kTiles> weights;
    weights.Begin(outputs, rows.matrix, tile.output);
    weights.Load(0);
    stage.Load(0, 0);
    FindExponents<Shape>(job, rows, n_stretches, shared);
    BlockBarrier();
    SliceCursor cursor{};
    cursor.Begin(n_stretches);
    int slice = cursor.At(0);
    stage.Store(shared, slice, 0);
    stage.Load(0, 1);
    BlockBarrier();
    for (int stretch = 0; stretch < n_stretches; ++stretch) {
      // Behind the last stretch it is taken again, for nobody: instructions without branches between them overlap.
      const int next = stretch + 1 < n_stretches ? stretch + 1 : stretch;
      const bool is_end = stretch + 1 == cursor.end;
      const int next_slice = cursor.At(next);
      LaneScales<Planar> scales[Tile::kTiles];
      RF_UNROLL
      for (int t = 0; t < Tile::kTiles; ++t) scales[t] = LaneScales<Planar>(weights.records[t]);
      RF_UNROLL
      for (int half = 0; half < 2; ++half) {
        RF_UNROLL
        for (int product = 2 * half; product < 2 * half + 2; ++product) {
          HalfFragment fragments[Tile::kTiles];
          RF_UNROLL
          for (int t = 0; t < Tile::kTiles; ++t) {
            fragments[t] = WeightsOf<Planar>(weights.records[t], scales[t], product);
          }
          if (product == kProductsOfStretch - 1) weights.Load(next);
          if (Shape::kWaveRows == Shape::kTileRows || tile.row < rows.count) {
            tile.Add(fragments, shared, half, product);
          }
          if (product % 2 == 0) {
            // The next half goes to the other buffer, and the one after it to registers.
            stage.Store(shared, half == 0 ? slice : next_slice, 1 - half);
            stage.Load(next, half);
          }
        }
        if (half == 1 && is_end) tile.FinishSlice(shared, slice);
        BlockBarrier();
      }
      slice = next_slice;
    }
    tile.Store(job, outputs, rows, shared);
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
// As the low one, of weights that are halves, which take more registers.
using HalvesShape = TileShape<64, 32, 16>;

template <typename Planar>
void LaunchTiles(void* native, ProductJob job) {
  if constexpr (kHasTallTiles) {
    if (HasTallTiles(*static_cast<GpuContext*>(native)->traits)) return LaunchShape<Planar, TallShape>(native, job);
  }
  LaunchShape<Planar, std::conditional_t<kIsHalves<Planar>, HalvesShape, LowShape>>(native, job);
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
