// Attention: a block of threads takes a tile of queries (attention_tile.h), over all positions or, where that gives too
// few blocks to keep the processors busy, over one chunk of them; then the chunks' states are merged by a second
// kernel, in the same order.
#include "hip/kernels/attention_tile.h"
#include "hip/kernels/register.h"
#include "hip/kernels/units.h"

namespace rf::hip {
namespace {

/// How a batch is cut into tiles: those of a sequence one after another, each for every head of the cache. Beyond the
/// last sequence there may be some that are empty.
struct TilePlan {
  int32_t tiles_per_token;  ///< if every sequence has one token; else 0
  int32_t first_block;      ///< of this launch, in tiles times heads
  int32_t n_chunks;         ///< that a block's place in `states` has room for; 0: not split
  float* values;            ///< [blocks, n_chunks, kQueries, head_dim]
  Softmax* sums;            ///< [blocks, n_chunks, kQueries]
  UnitsPlace units;         ///< of y
};

struct TilePlace {
  int sequence;
  int first_query;  ///< of the sequence's queries: its tokens one after another, the heads of the group innermost
  int n_queries;    ///< 0: there is no such tile
};

template <int kQueries>
RF_DEVICE TilePlace TilePlaceAt(const BatchView& batch, const TilePlan& plan, int tile, int group) {
  if (plan.tiles_per_token > 0) {
    const int first = tile % plan.tiles_per_token * kQueries;
    const int left = group - first;
    return {tile / plan.tiles_per_token, first, left < kQueries ? left : kQueries};
  }
  for (int s = 0; s < batch.n_sequences; ++s) {
    const int n_queries = (batch.first_token[s + 1] - batch.first_token[s]) * group;
    const int n_tiles = (n_queries + kQueries - 1) / kQueries;
    if (tile < n_tiles) {
      const int left = n_queries - tile * kQueries;
      return {s, tile * kQueries, left < kQueries ? left : kQueries};
    }
    tile -= n_tiles;
  }
  return {0, 0, 0};
}

RF_DEVICE QueryPlace QueryPlaceAt(const Attention::Args& args, const BatchView& batch, const TilePlace& tile,
                                  int kv_head, int index) {
  if (index >= tile.n_queries) return {0, 0, 0, -1};
  const int group = args.attrs.n_heads / args.kv.n_kv_heads;
  const int query = tile.first_query + index;
  const int token = batch.first_token[tile.sequence] + query / group;
  const int position = batch.positions[token];
  const int window = args.attrs.window;
  return {token, kv_head * group + query % group, window > 0 && position >= window ? position - window + 1 : 0,
          position};
}

RF_DEVICE SeenPositions SeenBy(const QueryPlace& first, const QueryPlace& last) {
  return {first.first_seen, last.position + 1, last.first_seen, first.position + 1};
}

// Writes four of a query's columns, with their units. All lanes of the wave, those too that have no such query.
RF_DEVICE void StoreQuery(const Attention::Args& args, const TilePlan& plan, const QueryPlace& place, int column,
                          const Softmax& total, const Float4& values, bool is_there) {
  const auto* sinks = static_cast<const float*>(args.sinks.data);
  const Float4 y = is_there ? values * FinalScale(total, sinks == nullptr ? nullptr : sinks + place.head) : Float4{};
  const int in_row = place.head * args.kv.head_dim + column;
  if (is_there) {
    float* to = RowOf(args.y, place.token) + in_row;
    to[0] = y.x;
    to[1] = y.y;
    to[2] = y.z;
    to[3] = y.w;
  }
  if (plan.units.at != nullptr) MakeUnit(y, plan.units, place.token, in_row, is_there);
}

template <typename Block, int kDim, int kQueries>
RF_KERNEL RF_LAUNCH_BOUNDS(kAttentionThreads) AttendTiles(Attention::Args args, BatchView batch, TilePlan plan) {
  using Tile = AttentionTile<Block, kDim, kQueries>;
  using Values = typename Tile::Values;
  auto& shared = Shared<typename Tile::Memory>();
  const int block = plan.first_block + static_cast<int>(blockIdx.x);
  const int kv_head = block % args.kv.n_kv_heads;
  const int group = args.attrs.n_heads / args.kv.n_kv_heads;
  const TilePlace place = TilePlaceAt<kQueries>(batch, plan, block / args.kv.n_kv_heads, group);
  if (place.n_queries == 0) return;
  const SeenPositions seen = SeenBy(QueryPlaceAt(args, batch, place, kv_head, 0),
                                    QueryPlaceAt(args, batch, place, kv_head, place.n_queries - 1));
  int chunk = seen.first_of_any / kChunk;
  int end_chunk = (seen.end_of_any - 1) / kChunk + 1;
  if (plan.n_chunks > 0) {
    const auto own = static_cast<int>(blockIdx.y);
    if (own < chunk || own >= end_chunk) return;
    chunk = own;
    end_chunk = own + 1;
  }

  const auto thread = static_cast<int>(threadIdx.x);
  if (thread < kQueries) {
    shared.places[thread] = QueryPlaceAt(args, batch, place, kv_head, thread);
    shared.total[thread] = {-INFINITY, 0.0f};
  }
  BlockBarrier();
  Tile tile{args, batch, shared, place.sequence, kv_head, seen};
  tile.LoadQueries();

  const Values own = Values::OfThread();
  const bool has_values = own.first_query < kQueries && own.column * 4 < args.kv.head_dim;
  Float4 total[Values::kPerThread] = {};
  for (; chunk < end_chunk; ++chunk) {
    Float4 values[Values::kPerThread] = {};
    BlockBarrier();
    tile.AddChunk(chunk, values);
    if (plan.n_chunks > 0) {
      const int64_t at = (static_cast<int64_t>(blockIdx.x) * plan.n_chunks + chunk) * kQueries;
      if (thread < kQueries) plan.sums[at + thread] = shared.of_chunk[thread];
      RF_UNROLL
      for (int j = 0; j < Values::kPerThread; ++j) {
        float* to = plan.values + (at + own.first_query + j) * args.kv.head_dim + own.column * 4;
        if (has_values) *reinterpret_cast<Float4*>(to) = values[j];
      }
      return;
    }
    if (thread < kQueries) shared.scales[thread] = Merge(shared.total[thread], shared.of_chunk[thread]);
    BlockBarrier();
    RF_UNROLL
    for (int j = 0; j < Values::kPerThread; ++j) {
      if (!has_values) break;
      const MergeScales scales = shared.scales[own.first_query + j];
      total[j] = FusedScale(values[j], scales.added, total[j] * scales.before);
    }
  }
  RF_UNROLL
  for (int j = 0; j < Values::kPerThread; ++j) {
    const bool is_there = has_values && own.first_query + j < place.n_queries;
    const int query = is_there ? own.first_query + j : 0;
    StoreQuery(args, plan, shared.places[query], own.column * 4, shared.total[query], total[j], is_there);
  }
}

// By what the states of up to kAttentionThreads chunks are multiplied when they are merged one after the other.
struct MergeMemory {
  Softmax states[kAttentionThreads];
  MergeScales scales[kAttentionThreads];
};

// Each thread finds the scales of its chunk. What Merge() would have seen before it is the largest of the chunks
// before.
RF_DEVICE void FindScales(MergeMemory& shared, const Softmax* states, int64_t stride, int count, Softmax total) {
  const auto own = static_cast<int>(threadIdx.x);
  if (own < count) shared.states[own] = states[own * stride];
  BlockBarrier();
  if (own < count) {
    for (int i = 0; i < own; ++i) {
      const Softmax& state = shared.states[i];
      if (state.sum == 0.0f) continue;
      total = {total.sum == 0.0f ? state.largest : fmaxf(total.largest, state.largest), 1.0f};
    }
    shared.scales[own] = Merge(total, shared.states[own]);
  }
  BlockBarrier();
}

// A block merges the chunks of one query: a thread for each four elements.
template <int kQueries>
RF_KERNEL RF_LAUNCH_BOUNDS(kAttentionThreads) MergeChunks(Attention::Args args, BatchView batch, TilePlan plan) {
  auto& shared = Shared<MergeMemory>();
  const int block = plan.first_block + static_cast<int>(blockIdx.x);
  const int kv_head = block % args.kv.n_kv_heads;
  const int group = args.attrs.n_heads / args.kv.n_kv_heads;
  const TilePlace tile = TilePlaceAt<kQueries>(batch, plan, block / args.kv.n_kv_heads, group);
  const auto query = static_cast<int>(blockIdx.y);
  const QueryPlace place = QueryPlaceAt(args, batch, tile, kv_head, query);
  const int column = static_cast<int>(threadIdx.x) * 4;
  if (place.position < 0) return;
  const bool is_there = column < args.kv.head_dim;
  Softmax total{-INFINITY, 0.0f};
  Float4 values{};
  const int end = place.position / kChunk + 1;
  for (int chunk = place.first_seen / kChunk; chunk < end; chunk += kAttentionThreads) {
    const int64_t first = (static_cast<int64_t>(blockIdx.x) * plan.n_chunks + chunk) * kQueries + query;
    const int count = end - chunk < kAttentionThreads ? end - chunk : kAttentionThreads;
    FindScales(shared, plan.sums + first, kQueries, count, total);
    const float* added = plan.values + first * args.kv.head_dim + (is_there ? column : 0);
    const int64_t stride = int64_t{kQueries} * args.kv.head_dim;
    [[maybe_unused]] constexpr int kUnrolled = 8;
    RF_UNROLL_LOADS
    for (int i = 0; i < count; ++i) {
      const Softmax state = shared.states[i];
      const MergeScales scales = shared.scales[i];
      values = FusedScale(*reinterpret_cast<const Float4*>(added + i * stride), scales.added, values * scales.before);
      AddState(total, state, scales);
    }
    BlockBarrier();
  }
  StoreQuery(args, plan, place, column, total, values, is_there);
}

/// What both runtimes call an argument that they cannot take: larger heads.
constexpr int32_t kInvalidValue = 1;
/// Memory for the chunks' states that a launch may take; longer contexts of more tokens take several launches.
constexpr int64_t kMaxStateBytes = int64_t{32} << 20;
/// Blocks for each processor below which the chunks are split.
constexpr int64_t kBusyBlocks = 4;

int32_t TilesOf(const Attention::Args& args, int queries) {
  const int64_t group = args.attrs.n_heads / args.kv.n_kv_heads;
  const BatchView& batch = *args.batch;
  if (batch.n_tokens == batch.n_sequences) return static_cast<int32_t>(batch.n_tokens * CeilDivide(group, queries));
  return static_cast<int32_t>(batch.n_tokens * group / queries + batch.n_sequences);
}

// The most chunks that a sequence of the batch can have. A plan's workspace is asked for without page tables.
int64_t ChunksOf(const Attention::Args& args) {
  const int64_t n_pages = args.batch->page_table_stride;
  return n_pages == 0 ? INT32_MAX : CeilDivide(n_pages * args.kv.page_tokens, kChunk);
}

int64_t StateBytes(const Attention::Args& args, int queries, int64_t n_chunks) {
  return n_chunks * queries *
         (args.kv.head_dim * static_cast<int64_t>(sizeof(float)) + static_cast<int64_t>(sizeof(Softmax)));
}

// The units of y, which come first in the workspace; those of a head must be whole.
size_t OutputUnitBytes(const Attention::Args& args) {
  return args.kv.head_dim % kUnit == 0 ? UnitBytes(args.y) : 0;
}

// What is left of the workspace for the chunks' states.
int64_t StateRoom(const GpuContext& context, const TilePlan& plan, const Attention::Args& args) {
  return static_cast<int64_t>(context.workspace_bytes - (plan.units.at == nullptr ? 0 : OutputUnitBytes(args)));
}

template <typename Block, int kDim, int kQueries>
void LaunchSplit(void* native, const Attention::Args& args, TilePlan plan, int64_t n_blocks) {
  const auto& context = *static_cast<GpuContext*>(native);
  const int64_t block_bytes = StateBytes(args, kQueries, plan.n_chunks);
  const int64_t n_fitting = StateRoom(context, plan, args) / block_bytes;
  const size_t first_byte = context.workspace_bytes - static_cast<size_t>(StateRoom(context, plan, args));
  plan.values = reinterpret_cast<float*>(static_cast<unsigned char*>(context.workspace) + first_byte);
  plan.sums = reinterpret_cast<Softmax*>(plan.values + n_fitting * plan.n_chunks * kQueries * args.kv.head_dim);
  for (int64_t first = 0; first < n_blocks; first += n_fitting) {
    plan.first_block = static_cast<int32_t>(first);
    const auto count = static_cast<uint32_t>(n_blocks - first < n_fitting ? n_blocks - first : n_fitting);
    Launch(native, AttendTiles<Block, kDim, kQueries>, dim3(count, static_cast<uint32_t>(plan.n_chunks)),
           kAttentionThreads, sizeof(AttentionShared<kDim, kQueries>), args, *args.batch, plan);
    Launch(native, MergeChunks<kQueries>, dim3(count, kQueries), kAttentionThreads, sizeof(MergeMemory), args,
           *args.batch, plan);
  }
}

template <typename Block, int kDim, int kQueries>
void LaunchTiles(void* native, const Attention::Args& args) {
  const auto& context = *static_cast<GpuContext*>(native);
  const int group = args.attrs.n_heads / args.kv.n_kv_heads;
  TilePlan plan{};
  const bool is_one_token_each = args.batch->n_tokens == args.batch->n_sequences;
  plan.tiles_per_token = is_one_token_each ? static_cast<int32_t>(CeilDivide(group, kQueries)) : 0;
  const int64_t n_blocks = static_cast<int64_t>(TilesOf(args, kQueries)) * args.kv.n_kv_heads;
  const int64_t n_chunks = ChunksOf(args);
  if (args.kv.head_dim % kUnit == 0) plan.units = PlaceForUnits(native, args.y);
  const bool fits = StateBytes(args, kQueries, n_chunks) <= StateRoom(context, plan, args);
  if (n_chunks > 1 && fits && n_blocks < kBusyBlocks * context.traits->n_processors) {
    plan.n_chunks = static_cast<int32_t>(n_chunks);
    LaunchSplit<Block, kDim, kQueries>(native, args, plan, n_blocks);
  } else {
    Launch(native, AttendTiles<Block, kDim, kQueries>, dim3(static_cast<uint32_t>(n_blocks)), kAttentionThreads,
           sizeof(AttentionShared<kDim, kQueries>), args, *args.batch, plan);
  }
  NoteUnits(native, args.y, plan.units);
}

// For single tokens the smallest tile that holds a token's queries, as far as there is one; for prompts the largest.
template <typename Block, int kDim>
void LaunchDim(void* native, const Attention::Args& args) {
  constexpr int kLargest = kDim <= 128 ? 16 : kDim == 256 ? 8 : 4;
  const int group = args.attrs.n_heads / args.kv.n_kv_heads;
  const bool is_one_token_each = args.batch->n_tokens == args.batch->n_sequences;
  if (is_one_token_each && group <= 4) return LaunchTiles<Block, kDim, 4>(native, args);
  if constexpr (kLargest > 8) {
    if (is_one_token_each && group <= 8) return LaunchTiles<Block, kDim, 8>(native, args);
  }
  LaunchTiles<Block, kDim, kLargest>(native, args);
}

template <typename Block>
void LaunchAttention(void* native, const Attention::Args& args) {
  if (args.kv.head_dim <= 64) return LaunchDim<Block, 64>(native, args);
  if (args.kv.head_dim <= 128) return LaunchDim<Block, 128>(native, args);
  if (args.kv.head_dim <= 256) return LaunchDim<Block, 256>(native, args);
  if (args.kv.head_dim <= 512) return LaunchDim<Block, 512>(native, args);
  auto& context = *static_cast<GpuContext*>(native);
  if (context.error == 0) context.error = kInvalidValue;
}

size_t WorkspaceBytes(const Attention::Args& args, int /*n_threads*/) {
  constexpr int kMostQueries = 16;
  const int64_t n_blocks = static_cast<int64_t>(TilesOf(args, 1)) * args.kv.n_kv_heads;
  const int64_t n_chunks = ChunksOf(args);
  if (n_chunks == 1) return OutputUnitBytes(args);
  const int64_t block_bytes = StateBytes(args, kMostQueries, n_chunks);
  const int64_t states = n_blocks < kMaxStateBytes / block_bytes ? n_blocks * block_bytes : kMaxStateBytes;
  return OutputUnitBytes(args) + static_cast<size_t>(states);
}

}  // namespace

void RegisterAttention(const GpuTraits& /*traits*/, KernelTable& table) {
#define RF_KV_FORMAT(Name, header) \
  table.attention.Set(Format::k##Name, {LaunchAttention<Block##Name>, WorkspaceBytes, "hip/attention_" #Name});
#include "ops/kv_formats.def"
#undef RF_KV_FORMAT
}

}  // namespace rf::hip
