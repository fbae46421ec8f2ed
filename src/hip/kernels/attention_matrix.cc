// Attention by matrix instructions (attention_matrix.h): a block takes sixteen queries of single tokens, or up to 64 of
// prompts.
#include "hip/kernels/attention_matrix.h"

#include "hip/kernels/attention_launch.h"

namespace rf::hip {
namespace {

/// What a kernel of attention knows of its block.
struct BlockOfQueries {
  int kv_head;
  TilePlace place;
  SeenPositions seen;
  int first_chunk;
  int end_chunk;
};

// All of it is the same for all lanes, which the compiler does not see where it was read from memory.
RF_DEVICE TilePlace OfWave(const TilePlace& place) {
  return {OfWave(place.sequence), OfWave(place.first_query), OfWave(place.n_queries)};
}
RF_DEVICE SeenPositions OfWave(const SeenPositions& seen) {
  return {OfWave(seen.first_of_any), OfWave(seen.end_of_any), OfWave(seen.first_of_all), OfWave(seen.end_of_all)};
}

RF_DEVICE BlockOfQueries FindBlock(const Attention::Args& args, const BatchView& batch, const TilePlan& plan) {
  const int index = plan.first_block + static_cast<int>(blockIdx.x);
  const int kv_head = index % args.kv.n_kv_heads;
  const int group = args.attrs.n_heads / args.kv.n_kv_heads;
  const TilePlace place = OfWave(TilePlaceAt(batch, plan, index / args.kv.n_kv_heads, group));
  if (place.n_queries == 0) return {kv_head, place, {}, 0, 0};
  const SeenPositions seen = OfWave(SeenBy(QueryPlaceAt(args, batch, place, kv_head, 0),
                                           QueryPlaceAt(args, batch, place, kv_head, place.n_queries - 1)));
  const int first = seen.first_of_any / kChunk;
  const int end = (seen.end_of_any - 1) / kChunk + 1;
  if (plan.n_chunks == 0) return {kv_head, place, seen, first, end};
  const auto own = static_cast<int>(blockIdx.y);
  const bool is_seen = own >= first && own < end;
  return {kv_head, place, seen, own, is_seen ? own + 1 : own};
}

/// A chunk's values and states, where MergeChunks() finds them.
template <typename Tile>
RF_DEVICE void StoreStates(const Tile& tile, int chunk, const typename Tile::Values& values) {
  const TilePlan& plan = tile.shared.plan;
  const int head_dim = tile.shared.outputs.head_dim;
  const int64_t first = (static_cast<int64_t>(blockIdx.x) * plan.n_chunks + chunk) * plan.n_queries;
  const auto thread = static_cast<int>(threadIdx.x);
  if (thread < tile.n_queries) plan.sums[first + thread] = tile.shared.of_chunk[thread];
  float* to = plan.values + first * head_dim;
  tile.ForEachValue([&](int f, int c, int i) {
    const int query = Tile::QueryOf(f, i);
    const int column = Tile::FirstColumn(c) + MatrixRow(i);
    if (query < tile.n_queries && column < head_dim) to[query * head_dim + column] = values[f][c].values[i];
  });
}

/// The results of the tile's queries, by way of shared memory, so that neighbouring lanes write neighbouring columns.
template <typename Shape, typename Tile>
RF_DEVICE void StoreResults(const Tile& tile, const typename Tile::Values& totals) {
  constexpr int kColumns = Shape::kDim / 4;
  auto* results = reinterpret_cast<float*>(&tile.shared.operands);
  BlockBarrier();
  tile.ForEachValue([&](int f, int c, int i) {
    results[Tile::QueryOf(f, i) * 4 * (kColumns + 1) + Tile::FirstColumn(c) + MatrixRow(i)] = totals[f][c].values[i];
  });
  BlockBarrier();
  const AttentionOutputs& outputs = tile.shared.outputs;
  // All lanes of a wave, or none.
  for (int at = static_cast<int>(threadIdx.x); at - Lane() < tile.n_queries * kColumns; at += Tile::Threads()) {
    const int column = at % kColumns * 4;
    const bool is_there = at / kColumns < tile.n_queries && column < outputs.head_dim;
    const int query = is_there ? at / kColumns : 0;
    const Float4 values =
        is_there ? *reinterpret_cast<const Float4*>(results + query * 4 * (kColumns + 1) + column) : Float4{};
    StoreQuery(outputs, tile.shared.places[query], column, tile.shared.total[query], values, is_there);
  }
}

/// All chunks; their values are in `totals`, of a single one before they are merged.
template <typename Tile>
RF_DEVICE void AddChunks(Tile& tile, const BlockOfQueries& block, const TilePlan& plan, typename Tile::Values& totals) {
  const auto thread = static_cast<int>(threadIdx.x);
  if (thread < tile.n_queries) tile.shared.total[thread] = {-INFINITY, 0.0f};
  if (thread == 0) tile.shared.is_broken = 0;
  tile.ForEachValue([&](int f, int c, int i) { totals[f][c].values[i] = 0.0f; });
  for (int chunk = block.first_chunk; chunk < block.end_chunk; ++chunk) {
    typename Tile::Values values = {};
    tile.AddChunk(chunk, values);
    tile.BreakStates(chunk);
    const bool is_single = Afresh(plan.n_chunks) > 0;
    tile.ForEachValue([&](int f, int c, int i) {
      const MergeScales scales = is_single ? MergeScales{0.0f, 1.0f} : tile.shared.scales[Tile::QueryOf(f, i)];
      float& total = totals[f][c].values[i];
      total = is_single ? values[f][c].values[i] : fmaf(values[f][c].values[i], scales.added, total * scales.before);
    });
  }
}

template <typename Block, typename Shape>
RF_KERNEL RF_BLOCKS_AT_ONCE(kAttentionWaves* kWaveLanes, Shape::kBlocks)
    AttendMatrices(Attention::Args args, BatchView batch, TilePlan plan) {
  if constexpr (kHasMatrixInstructions && (kIsTallWave || !Shape::kIsTall)) {
    AdmitNext();
    using Tile = MatrixAttention<Block, Shape>;
    auto& shared = Shared<typename Shape::Memory>();
    const BlockOfQueries block = FindBlock(args, batch, plan);
    if (block.first_chunk == block.end_chunk) {
      AwaitPrevious();
      return;
    }
    const auto thread = static_cast<int>(threadIdx.x);
    if (thread < Shape::kQueries) shared.places[thread] = QueryPlaceAt(args, batch, block.place, block.kv_head, thread);
    if (thread == 0) {
      SetOutputs(args, plan, shared.outputs);
      shared.plan = plan;
    }
    BlockBarrier();
    Tile tile{args, batch, shared, block.place.sequence, block.kv_head, block.place.n_queries, block.seen, false, 0};
    tile.FetchPage(block.first_chunk);
    AwaitPrevious();  // what is known of the batch is older than all launches of a step
    tile.LoadQueries();
    typename Tile::Values totals;
    while (true) {
      AddChunks(tile, block, plan, totals);
      if (tile.is_careful || !tile.AreBroken(totals)) break;
      // A product with 0 does not keep out an infinity that a later token stored: once more, and what is broken apart.
      tile.is_careful = true;
      tile.FetchPage(block.first_chunk);
      BlockBarrier();
    }
    if (plan.n_chunks > 0) {
      StoreStates(tile, block.first_chunk, totals);
    } else {
      StoreResults<Shape>(tile, totals);
    }
  }
}

/// Blocks for each processor below which the chunks are split: those of few queries wait for memory.
constexpr int64_t kBusyBlocksOfFew = 4;
constexpr int64_t kBusyBlocksOfMany = 1;

template <typename Block, typename Shape>
void LaunchMatrixShape(void* native, const Attention::Args& args) {
  const GpuTraits& traits = *static_cast<GpuContext*>(native)->traits;
  LaunchAttentionTiles(
      native, args,
      {AttendMatrices<Block, Shape>, kAttentionWaves * traits.wave_size, sizeof(typename Shape::Memory),
       Shape::kQueries, Shape::kFragments == 1 ? kBusyBlocksOfFew : kBusyBlocksOfMany, kWeightUnit});
}

/// As many queries of prompts as there are registers for.
template <typename Block, int kDim>
void LaunchPrompts(void* native, const Attention::Args& args) {
  constexpr int kStaged = kDim <= 64 ? 64 : 32;
  if constexpr (kIsTallWave) {
    using Tall = MatrixAttentionShape<kDim, kDim <= 128 ? 4 : 2, kStaged>;
    if (HasTallWaves(*static_cast<GpuContext*>(native)->traits)) return LaunchMatrixShape<Block, Tall>(native, args);
  }
  LaunchMatrixShape<Block, MatrixAttentionShape<kDim, kDim <= 128 ? 2 : 1, kStaged>>(native, args);
}

bool AreFewQueries(const Attention::Args& args) {
  const BatchView& batch = *args.batch;
  const int64_t n_queries = int64_t{batch.n_tokens} * (args.attrs.n_heads / args.kv.n_kv_heads);
  return batch.n_tokens == batch.n_sequences || n_queries <= int64_t{batch.n_sequences} * kMatrixSide;
}

template <typename Block, int kDim>
void LaunchMatrixDim(void* native, const Attention::Args& args) {
  using Few = MatrixAttentionShape<kDim, 1, kDim <= 64 ? 128 : kDim <= 128 ? 64 : 32>;
  if (AreFewQueries(args)) return LaunchMatrixShape<Block, Few>(native, args);
  LaunchPrompts<Block, kDim>(native, args);
}

bool IsForMatrices(const void* native, const Attention::Args& args) {
  if (!HasMatrixInstructions(*static_cast<const GpuContext*>(native)->traits)) return false;
  const Format format = args.kv.format;
  if (format != Format::kF16 && format != Format::kQ8_0 && format != Format::kQ4_0) return false;
  return args.kv.head_dim <= 256 && args.kv.head_dim % kPieceColumns == 0;
}

template <typename Block>
bool LaunchMatrixFormat(void* native, const Attention::Args& args) {
  if (args.kv.head_dim <= 64) {
    LaunchMatrixDim<Block, 64>(native, args);
  } else if (args.kv.head_dim <= 128) {
    LaunchMatrixDim<Block, 128>(native, args);
  } else {
    LaunchMatrixDim<Block, 256>(native, args);
  }
  return true;
}

}  // namespace

const char* MatrixAttentionVariant(const void* native, const Attention::Args& args) {
  if (!IsForMatrices(native, args)) return nullptr;
  return AreFewQueries(args) ? "matrices of few queries" : "matrices";
}

bool LaunchMatrixAttention(void* native, const Attention::Args& args) {
  if (!IsForMatrices(native, args)) return false;
  switch (args.kv.format) {
    case Format::kF16: return LaunchMatrixFormat<BlockF16>(native, args);
    case Format::kQ8_0: return LaunchMatrixFormat<BlockQ8_0>(native, args);
    case Format::kQ4_0: return LaunchMatrixFormat<BlockQ4_0>(native, args);
    default: return false;
  }
}

}  // namespace rf::hip
