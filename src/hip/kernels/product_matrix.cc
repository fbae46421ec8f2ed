// Products of many rows in integers, as F16 numbers in matrix instructions: a piece of 32 or 16 columns at a time, as
// its sum is exact and each has its own scales. The columns come in the order of the other kernels' lanes, all of lane
// 0 first, so that two sums are enough for an output: the lane's and that of the lanes before it.
#include "hip/kernels/product_matrix.h"

#include "hip/kernels/lane_weights_32.h"
#include "hip/kernels/lane_weights_k.h"
#include "hip/kernels/lane_weights_table.h"
#include "hip/kernels/matrix_fragments.h"
#include "hip/kernels/matrix_stage.h"
#include "hip/kernels/product_piece.h"

namespace rf::hip {
namespace {

// A wave's sums.
template <typename Pieces, typename Shape>
struct WaveTile {
  static constexpr int kRowFragments = Shape::kWaveRows / kMatrixSide;
  static constexpr int kOutputFragments = kMaxWave / kMatrixSide;
  static constexpr int kK = kUnit / Pieces::kPieces;  // columns of a piece
  using Memory = SlabMemory<Pieces, Shape>;
  using Scales = PieceScales<Pieces::kHasMinimum>;
  int row;     // of the block's tile
  int output;  // of the block's tile
  float of_lane[kRowFragments][kOutputFragments][kMatrixValues];
  float total[kRowFragments][kOutputFragments][kMatrixValues];

  RF_DEVICE_MEMBER void Begin() {
    const int waves_across = Shape::kTileOutputs / WaveSize();
    row = WaveIndex() / waves_across * Shape::kWaveRows;
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
      for (int n = 0; n < WaveSize() / kMatrixSide; ++n) {
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

  // What all of the wave's rows meet stays in registers: the weights.
  RF_DEVICE_MEMBER void AddPieceOf(const Memory& memory, int piece) {
    ColumnFragment<kK> w[kOutputFragments];
    Scales scales[kOutputFragments][kMatrixValues];
    RF_UNROLL
    for (int n = 0; n < WaveSize() / kMatrixSide; ++n) {
      const int first = output + kMatrixSide * n;
      w[n] = LoadColumns<kK>(&memory.weights[first][piece * (kK / 4)], kWeightStride);
      RF_UNROLL
      for (int i = 0; i < MatrixValuesOfLane(); ++i) scales[n][i] = memory.scales[piece][first + MatrixColumn(i)];
    }
    RF_UNROLL
    for (int m = 0; m < kRowFragments; ++m) AddRows(memory, piece, m, w, scales);
  }

  RF_DEVICE_MEMBER void AddRows(const Memory& memory, int piece, int m, const ColumnFragment<kK> (&w)[kOutputFragments],
                                const Scales (&scales)[kOutputFragments][kMatrixValues]) {
    const int first = row + kMatrixSide * m;
    const int* x = &memory.x[first][piece * (kK / 4)];
    const auto high = LoadRows<kK>(x, kRowStride);
    const auto low = LoadRows<kK>(x + kSlabWords, kRowStride);
    RF_UNROLL
    for (int n = 0; n < WaveSize() / kMatrixSide; ++n) {
      const MatrixSums of_high = MultiplyMatrices<kK>(high, w[n], {});
      const MatrixSums of_low = MultiplyMatrices<kK>(low, w[n], {});
      RF_UNROLL
      for (int i = 0; i < MatrixValuesOfLane(); ++i) {
        of_lane[m][n][i] = AddPiece(FloatOfPlanes(of_high.values[i], of_low.values[i]), scales[n][i],
                                    memory.x_scales[piece][first + MatrixRow(i)], of_lane[m][n][i]);
      }
    }
  }

  RF_DEVICE_MEMBER void Store(const ProductJob& job, const OutputTile& outputs, const RowTile& rows) const {
    ForEachSum([&](int m, int n, int i) {
      const int in_tile = row + kMatrixSide * m + MatrixRow(i);
      const int of_tile = output + kMatrixSide * n + MatrixColumn(i);
      if (in_tile >= rows.count || of_tile >= outputs.count) return;
      StoreOutput(job, outputs.part, RowIn(job.rows, rows, in_tile), outputs.first + of_tile, total[m][n][i]);
    });
  }
};

template <typename Block, typename Shape>
RF_KERNEL RF_LAUNCH_BOUNDS(Shape::kThreads) MultiplyMatrixTiles(ProductJob job, int n_row_tiles) {
  using Pieces = LanePieces<Block>;
  if constexpr (kHasMatrixInstructions && Shape::kWaveRows <= kTallestWave) {
    auto& shared = Shared<MatrixMemory<Pieces, Shape>>();
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
    const auto load = [&](const Slab& slab) {
      if (!slab.IsThere()) return;
      weights.Load(slab);
      activations.Load(slab);
    };
    const auto store = [&](const Slab& slab, int buffer) {
      if (!slab.IsThere()) return;
      weights.Store(shared.slabs[buffer], slab);
      activations.Store(shared.slabs[buffer]);
    };
    Slab slab{0, 0};
    load(slab);
    store(slab, 0);
    Slab next = NextSlab<Pieces>(slab, n_cols);
    load(next);
    BlockBarrier();
    for (int buffer = 0; slab.IsThere(); buffer = 1 - buffer) {
      store(next, 1 - buffer);
      const Slab after = next.IsThere() ? NextSlab<Pieces>(next, n_cols) : next;
      load(after);
      if (tile.row < rows.count) {
        RF_UNROLL
        for (int piece = 0; piece < Pieces::kPieces; ++piece) tile.AddPieceOf(shared.slabs[buffer], piece);
      }
      if (next.lane != slab.lane) tile.FinishLane();
      slab = next;
      next = after;
      BlockBarrier();
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

using SmallShape = MatrixShape<kMatrixTileRows, 32>;
using LargeShape = MatrixShape<128, 32>;
using TallShape = MatrixShape<128, 64>;  // the same tile in half as many threads

// Large tiles read the least, but only if there are enough of them to keep most processors busy.
template <typename Block>
void LaunchBlocks(void* native, ProductJob job) {
  const GpuTraits& traits = *static_cast<GpuContext*>(native)->traits;
  const bool fills_large =
      job.rows.tiles == nullptr && job.rows.n_rows > 64 && 4 * CountTiles<LargeShape>(job) >= 3 * traits.n_processors;
  if (!fills_large) return LaunchTiles<Block, SmallShape>(native, job);
  if constexpr (kTallestWave >= TallShape::kWaveRows) {
    if (TallestWaveOf(traits) >= TallShape::kWaveRows) return LaunchTiles<Block, TallShape>(native, job);
  }
  LaunchTiles<Block, LargeShape>(native, job);
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
