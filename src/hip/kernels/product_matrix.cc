// Products of many rows in integers: the activations' two planes of bytes meet weights unpacked to bytes in matrix
// instructions, a piece of 32 or 16 columns at a time, as its sum is exact and each has its own scales. The columns
// come in the order of the other kernels' lanes, all of lane 0 first, so that two sums are enough for an output: the
// lane's and that of the lanes before it.
#include "hip/kernels/product_matrix.h"

#include "hip/kernels/lane_weights_32.h"
#include "hip/kernels/lane_weights_k.h"
#include "hip/kernels/lane_weights_table.h"
#include "hip/kernels/matrix_fragments.h"
#include "hip/kernels/matrix_stage.h"
#include "hip/kernels/product_piece.h"

namespace rf::hip {
namespace {

constexpr int kSide = 16;      // of a fragment
constexpr int kWaveRows = 32;  // of a wave's square; as many outputs as it has lanes
constexpr int kRowFragments = kWaveRows / kSide;
constexpr int kOutputFragments = kMaxWave / kSide;

// A wave's sums.
template <typename Pieces, typename Shape>
struct WaveTile {
  static constexpr int kK = kUnit / Pieces::kPieces;
  using Memory = MatrixMemory<Pieces, Shape>;
  int row;     // of the block's tile
  int output;  // of the block's tile
  float of_lane[kRowFragments][kOutputFragments][kMatrixValues];
  float total[kRowFragments][kOutputFragments][kMatrixValues];

  RF_DEVICE_MEMBER void Begin() {
    const int waves_across = Shape::kTileOutputs / WaveSize();
    row = WaveIndex() / waves_across * kWaveRows;
    output = WaveIndex() % waves_across * WaveSize();
    ForEachSum([&](int m, int n, int i) {
      of_lane[m][n][i] = 0.0f;
      total[m][n][i] = -0.0f;  // adds nothing to the first lane's, not even a sign
    });
  }

  template <typename Use>
  RF_DEVICE_MEMBER static void ForEachSum(Use use) {
    RF_UNROLL
    for (int m = 0; m < kRowFragments; ++m) {
      RF_UNROLL
      for (int n = 0; n < WaveSize() / kSide; ++n) {
        RF_UNROLL
        for (int i = 0; i < MatrixValuesOfLane(); ++i) use(m, n, i);
      }
    }
  }

  RF_DEVICE_MEMBER void FinishLane() {
    ForEachSum([&](int m, int n, int i) {
      total[m][n][i] += of_lane[m][n][i];
      of_lane[m][n][i] = 0.0f;
    });
  }

  // The piece-th of the slab.
  RF_DEVICE_MEMBER void AddPieceOf(const Memory& memory, int piece) {
    MatrixFragment<kK> high[kRowFragments];
    MatrixFragment<kK> low[kRowFragments];
    RF_UNROLL
    for (int m = 0; m < kRowFragments; ++m) {
      high[m] = LoadMatrix<kK>(&memory.high[row + kSide * m][piece * (kK / 4)], kSlabStride);
      low[m] = LoadMatrix<kK>(&memory.low[row + kSide * m][piece * (kK / 4)], kSlabStride);
    }
    RF_UNROLL
    for (int n = 0; n < WaveSize() / kSide; ++n) {
      const auto w = LoadMatrix<kK>(&memory.weights[output + kSide * n][piece * (kK / 4)], kSlabStride);
      RF_UNROLL
      for (int m = 0; m < kRowFragments; ++m) {
        AddProducts(memory, piece, n, m, MultiplyMatrices<kK>(high[m], w), MultiplyMatrices<kK>(low[m], w));
      }
    }
  }

  RF_DEVICE_MEMBER void AddProducts(const Memory& memory, int piece, int n, int m, const MatrixSums& high,
                                    const MatrixSums& low) {
    RF_UNROLL
    for (int i = 0; i < MatrixValuesOfLane(); ++i) {
      const int x_row = row + kSide * m + MatrixRow(i);
      const int w_row = output + kSide * n + MatrixColumn(i);
      of_lane[m][n][i] = AddPiece(FloatOfPlanes(high.values[i], low.values[i]), memory.scales[piece][w_row],
                                  memory.x_scales[piece][x_row], of_lane[m][n][i]);
    }
  }

  RF_DEVICE_MEMBER void Store(const ProductJob& job, const OutputTile& outputs, const RowTile& rows) const {
    ForEachSum([&](int m, int n, int i) {
      const int in_tile = row + kSide * m + MatrixRow(i);
      const int of_tile = output + kSide * n + MatrixColumn(i);
      if (in_tile >= rows.count || of_tile >= outputs.count) return;
      StoreOutput(job, outputs.part, RowIn(job.rows, rows, in_tile), outputs.first + of_tile, total[m][n][i]);
    });
  }
};

// The slab after one, lane by lane; after the last one its lane is kProductLanes.
template <typename Pieces>
RF_DEVICE Slab NextSlab(Slab slab, int n_cols) {
  slab.first += kSlabRounds;
  while (slab.first >= slab.n_rounds && ++slab.lane < kProductLanes) {
    slab.first = 0;
    slab.n_rounds = RoundsOfLane<Pieces>(n_cols, slab.lane);
  }
  return slab;
}

template <typename Block, typename Shape>
RF_KERNEL RF_LAUNCH_BOUNDS(Shape::kThreads) MultiplyMatrixTiles(ProductJob job, int n_row_tiles) {
  using Pieces = LanePieces<Block>;
  if constexpr (kHasMatrixInstructions) {
    auto& memory = Shared<MatrixMemory<Pieces, Shape>>();
    const int block = static_cast<int>(blockIdx.x);
    const RowTile rows = RowTileAt(job.rows, block % n_row_tiles, Shape::kTileRows);
    if (rows.count == 0) return;
    const OutputTile outputs = OutputTileAt(job, block / n_row_tiles, Shape::kTileOutputs);
    const auto n_cols = static_cast<int>(job.args.x.n_cols);
    WeightStage<Pieces, Shape> weights{};
    ActivationStage<Pieces, Shape> activations{};
    WaveTile<Pieces, Shape> tile{};
    weights.Begin(outputs, rows.matrix);
    activations.Begin(job, rows);
    tile.Begin();
    Slab slab{0, 0, RoundsOfLane<Pieces>(n_cols, 0)};
    weights.Load(slab);
    activations.Load(slab);
    while (slab.lane < kProductLanes) {
      BlockBarrier();
      weights.Store(memory, slab);
      activations.Store(memory, slab);
      BlockBarrier();
      const Slab next = NextSlab<Pieces>(slab, n_cols);
      if (next.lane < kProductLanes) {
        weights.Load(next);
        activations.Load(next);
      }
      if (tile.row < rows.count) {
        for (int piece = 0; piece < slab.count() * Pieces::kPieces; ++piece) tile.AddPieceOf(memory, piece);
      }
      for (; slab.lane < next.lane; ++slab.lane) tile.FinishLane();
      slab = next;
    }
    tile.Store(job, outputs, rows);
  }
}

template <typename Block, typename Shape>
void LaunchTiles(void* native, ProductJob& job) {
  const dim3 tiles = PlanTiles(job, Shape::kTileOutputs, Shape::kTileRows);
  Launch(native, MultiplyMatrixTiles<Block, Shape>, dim3(tiles.x * tiles.y), Shape::kThreads,
         sizeof(MatrixMemory<LanePieces<Block>, Shape>), job, static_cast<int>(tiles.y));
}

// Blocks of a launch.
template <typename Shape>
int64_t CountTiles(ProductJob job) {
  const dim3 tiles = PlanTiles(job, Shape::kTileOutputs, Shape::kTileRows);
  return int64_t{tiles.x} * tiles.y;
}

using SmallShape = MatrixShape<kMatrixTileRows>;
using LargeShape = MatrixShape<128>;

// Large tiles read the least, but only if there are enough of them to keep most processors busy.
template <typename Block>
void LaunchBlocks(void* native, ProductJob job) {
  const int n_processors = static_cast<GpuContext*>(native)->traits->n_processors;
  if (job.rows.tiles == nullptr && job.rows.n_rows > 64 && 4 * CountTiles<LargeShape>(job) >= 3 * n_processors) {
    LaunchTiles<Block, LargeShape>(native, job);
  } else {
    LaunchTiles<Block, SmallShape>(native, job);
  }
}

// Fewer rows leave most of a tile empty; experts have so many on average.
constexpr int kFewestRows = 17;
constexpr int kFewestExpertRows = 8;

// Whether there is enough to do for tiles as large as these.
bool FillsTiles(const ProductJob& job, const GpuTraits& traits) {
  if (job.rows.ids == nullptr) {
    return job.rows.n_rows >= kFewestRows && 2 * CountTiles<SmallShape>(job) >= traits.n_processors;
  }
  return job.rows.tiles != nullptr && job.rows.n_rows >= kFewestExpertRows * job.args.parts[0].weight.n_matrices;
}

}  // namespace

bool LaunchMatrixProduct(void* native, const ProductJob& job) {
  const GpuTraits& traits = *static_cast<GpuContext*>(native)->traits;
  if (!HasMatrixInstructions(traits) || !FillsTiles(job, traits)) return false;
  switch (job.args.parts[0].weight.format) {
#define RF_INTEGER_FORMAT(Name)             \
  case Format::k##Name:                     \
    LaunchBlocks<Block##Name>(native, job); \
    return true;
#include "hip/kernels/integer_formats.def"
#undef RF_INTEGER_FORMAT
    default: return false;
  }
}

}  // namespace rf::hip
