// Products with weights of any format: a block of threads unpacks a tile of 32 outputs x 256 columns into shared memory
// and multiplies it in F32; of eight lanes, lane l has columns 32 l .. 32 l + 31 of each 256. For the formats that have
// no kernels of their own.
#include "hip/kernels/product_unpacked.h"

#include "hip/kernels/unpack.h"
#include "ops/all_weight_formats.h"  // written by ops/CMakeLists.txt from formats.def

namespace rf::hip {
namespace {

constexpr int kTileOutputs = 32;
constexpr int kThreads = kTileOutputs * kRoundLanes;  // an output and a lane each
constexpr int kTileRows = 8;

// One output's columns of a round.
template <typename Block>
using RoundOf = UnpackedBlocks<Block, kRound / Block::kElements>;

template <typename Block, int kRows>
struct ProductShared {
  union {
    RoundOf<Block> weights[kTileOutputs];
    float sums[kRoundLanes][kRows][kTileOutputs];  // of each lane, at the end
  };
  float x[kRows][kRound];
};

// What a block multiplies.
struct Tile {
  OutputTile outputs;
  RowTile rows;
  int n_cols;
};

// Columns beyond the last count as 0.
template <typename Block, int kRows>
RF_DEVICE void LoadWeights(ProductShared<Block, kRows>& shared, const Tile& tile, int begin) {
  constexpr int kPerRound = kRound / Block::kElements;
  const int first_block = begin / Block::kElements;
  const int n_blocks = tile.n_cols / Block::kElements;
  for (int i = static_cast<int>(threadIdx.x); i < kTileOutputs * kPerRound; i += kThreads) {
    const int output = i / kPerRound;
    const int block = i % kPerRound;
    if (output < tile.outputs.count && first_block + block < n_blocks) {
      const Block* row = BlocksOf<Block>(tile.outputs.part.weight, tile.outputs.first + output, tile.rows.matrix);
      shared.weights[output].Load(block, row[first_block + block]);
    } else {
      shared.weights[output].Clear(block);
    }
  }
}

template <typename Block, int kRows>
RF_DEVICE void LoadRows(ProductShared<Block, kRows>& shared, const ProductJob& job, const Tile& tile, int begin) {
  static_assert(kThreads == kRound);
  const int column = begin + static_cast<int>(threadIdx.x);
  RF_UNROLL
  for (int i = 0; i < kRows; ++i) {
    const bool is_there = i < tile.rows.count && column < tile.n_cols;
    shared.x[i][threadIdx.x] =
        is_there ? RowOf(job.args.x, RowIn(job.rows, tile.rows, i) / job.rows.rows_per_x)[column] : 0.0f;
  }
}

template <typename Block, int kRows>
RF_KERNEL RF_LAUNCH_BOUNDS(kThreads) MultiplyUnpacked(ProductJob job) {
  using Memory = ProductShared<Block, kRows>;
  auto& shared = Shared<Memory>();
  const Tile tile{OutputTileAt(job, static_cast<int>(blockIdx.x), kTileOutputs),
                  RowTileAt(job.rows, static_cast<int>(blockIdx.y), kRows), static_cast<int>(job.args.x.n_cols)};
  if (tile.rows.count == 0) return;
  const int output = static_cast<int>(threadIdx.x) % kTileOutputs;
  const int lane = static_cast<int>(threadIdx.x) / kTileOutputs;
  float sums[kRows] = {};
  for (int begin = 0; begin < tile.n_cols; begin += kRound) {
    LoadWeights(shared, tile, begin);
    LoadRows(shared, job, tile, begin);
    BlockBarrier();
    for (int i = lane * kUnit; i < (lane + 1) * kUnit; ++i) {
      const float weight = shared.weights[output].At(i);
      RF_UNROLL
      for (int r = 0; r < kRows; ++r) sums[r] = fmaf(weight, shared.x[r][i], sums[r]);
    }
    BlockBarrier();
  }
  RF_UNROLL
  for (int r = 0; r < kRows; ++r) shared.sums[lane][r][output] = sums[r];
  BlockBarrier();
  const int row = lane;  // each thread finishes an output of a row
  if (row >= tile.rows.count || output >= tile.outputs.count) return;
  float sum = shared.sums[0][row][output];
  for (int other = 1; other < kRoundLanes; ++other) sum += shared.sums[other][row][output];
  StoreOutput(job, tile.outputs.part, RowIn(job.rows, tile.rows, row), tile.outputs.first + output, sum);
}

template <typename Block, int kRows>
void LaunchTiles(void* native, ProductJob& job) {
  const dim3 grid = PlanTiles(job, kTileOutputs, kRows);
  Launch(native, MultiplyUnpacked<Block, kRows>, grid, kThreads, sizeof(ProductShared<Block, kRows>), job);
}

template <typename Block>
void LaunchProduct(void* native, ProductJob job) {
  static_assert(kTileRows <= kRoundLanes);
  if (IsOneRowEach(job.rows)) {
    LaunchTiles<Block, 1>(native, job);
  } else {
    LaunchTiles<Block, kTileRows>(native, job);
  }
}

const char* VariantOf(const void* /*native*/, const ProductJob& /*job*/) {
  return "unpacked";
}

// Of the formats that have kernels of their own none is made.
template <typename Block>
constexpr bool kHasOwnKernels = false;
template <>
constexpr bool kHasOwnKernels<BlockF32> = true;
template <>
constexpr bool kHasOwnKernels<BlockF16> = true;
template <>
constexpr bool kHasOwnKernels<BlockBF16> = true;
#define RF_INTEGER_FORMAT(Name) \
  template <>                   \
  constexpr bool kHasOwnKernels<Block##Name> = true;
#include "hip/kernels/integer_formats.def"
#undef RF_INTEGER_FORMAT

template <typename Block>
constexpr ProductKernels KernelsOf() {
  if constexpr (kHasOwnKernels<Block>) {
    return {false, nullptr};
  } else {
    return {false, LaunchProduct<Block>, nullptr, 0, VariantOf};
  }
}

constexpr ProductKernels kKernels[] = {
#define RF_FORMAT(Name, ...) KernelsOf<Block##Name>(),
#include "quant/formats.def"
#undef RF_FORMAT
};

}  // namespace

const ProductKernels& UnpackedProductKernels(Format format) {
  return kKernels[static_cast<int>(format)];
}

}  // namespace rf::hip
