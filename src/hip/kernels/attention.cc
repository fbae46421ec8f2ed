// Attention: a block of threads takes a tile of queries (attention_matrix.h, attention_tile.h), over all positions or,
// where that gives too few blocks to keep the processors busy, over one chunk of them; then the chunks' states are
// merged by a second kernel, in the same order.
#include "hip/kernels/attention_launch.h"
#include "hip/kernels/attention_tile.h"
#include "hip/kernels/register.h"
#include "hip/kernels/units.h"

namespace rf::hip {
namespace {

template <typename Block, int kDim, int kQueries>
RF_KERNEL RF_LAUNCH_BOUNDS(kAttentionThreads) AttendTiles(Attention::Args args, BatchView batch, TilePlan plan) {
  using Tile = AttentionTile<Block, kDim, kQueries>;
  using Values = typename Tile::Values;
  AdmitNext();
  AwaitPrevious();
  auto& shared = Shared<typename Tile::Memory>();
  const int block = plan.first_block + static_cast<int>(blockIdx.x);
  const int kv_head = block % args.kv.n_kv_heads;
  const int group = args.attrs.n_heads / args.kv.n_kv_heads;
  const TilePlace place = TilePlaceAt(batch, plan, block / args.kv.n_kv_heads, group);
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
  const auto has_values = [&] { return own.first_query < kQueries && own.column * 4 < Afresh(args.kv.head_dim); };
  Float4 total[Values::kPerThread] = {};
  for (; chunk < end_chunk; ++chunk) {
    Float4 values[Values::kPerThread] = {};
    BlockBarrier();
    tile.AddChunk(chunk, values);
    if (Afresh(plan.n_chunks) > 0) {
      const int64_t at = (static_cast<int64_t>(blockIdx.x) * plan.n_chunks + chunk) * kQueries;
      if (thread < kQueries) plan.sums[at + thread] = shared.of_chunk[thread];
      RF_UNROLL
      for (int j = 0; j < Values::kPerThread; ++j) {
        float* to = plan.values + (at + own.first_query + j) * args.kv.head_dim + own.column * 4;
        if (has_values()) *reinterpret_cast<Float4*>(to) = values[j];
      }
      return;
    }
    if (thread < kQueries) shared.scales[thread] = Merge(shared.total[thread], shared.of_chunk[thread]);
    BlockBarrier();
    RF_UNROLL
    for (int j = 0; j < Values::kPerThread; ++j) {
      if (!has_values()) break;
      const MergeScales scales = shared.scales[own.first_query + j];
      total[j] = FusedScale(values[j], scales.added, total[j] * scales.before);
    }
  }
  AttentionOutputs outputs;
  SetOutputs(args, plan, outputs);
  RF_UNROLL
  for (int j = 0; j < Values::kPerThread; ++j) {
    const bool is_there = has_values() && own.first_query + j < place.n_queries;
    const int query = is_there ? own.first_query + j : 0;
    StoreQuery(outputs, shared.places[query], own.column * 4, shared.total[query], total[j], is_there);
  }
}

constexpr int kMergeThreads = 128;

// By what the states of up to kMergeThreads chunks are multiplied when they are merged one after the other.
struct MergeMemory {
  Softmax states[kMergeThreads];
  MergeScales scales[kMergeThreads];
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
RF_KERNEL RF_LAUNCH_BOUNDS(kMergeThreads) MergeChunks(Attention::Args args, BatchView batch, TilePlan plan) {
  AdmitNext();
  auto& shared = Shared<MergeMemory>();
  const int block = plan.first_block + static_cast<int>(blockIdx.x);
  const int kv_head = block % args.kv.n_kv_heads;
  const int group = args.attrs.n_heads / args.kv.n_kv_heads;
  const TilePlace tile = TilePlaceAt(batch, plan, block / args.kv.n_kv_heads, group);
  const auto query = static_cast<int>(blockIdx.y);
  const QueryPlace place = QueryPlaceAt(args, batch, tile, kv_head, query);
  const int column = static_cast<int>(threadIdx.x) * 4;
  AwaitPrevious();
  if (place.position < 0) return;
  const bool is_there = column < args.kv.head_dim;
  Softmax total{-INFINITY, 0.0f};
  Float4 values{};
  const int end = place.position / kChunk + 1;
  for (int chunk = place.first_seen / kChunk; chunk < end; chunk += kMergeThreads) {
    const int64_t first = (static_cast<int64_t>(blockIdx.x) * plan.n_chunks + chunk) * plan.n_queries + query;
    const int count = end - chunk < kMergeThreads ? end - chunk : kMergeThreads;
    FindScales(shared, plan.sums + first, plan.n_queries, count, total);
    const float* added = plan.values + first * args.kv.head_dim + (is_there ? column : 0);
    const int64_t stride = int64_t{plan.n_queries} * args.kv.head_dim;
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
  AttentionOutputs outputs;
  SetOutputs(args, plan, outputs);
  StoreQuery(outputs, place, column, total, values, is_there);
}

/// What both runtimes call an argument that they cannot take: larger heads.
constexpr int32_t kInvalidValue = 1;
/// Memory for the chunks' states that a launch may take; longer contexts of more tokens take several launches.
constexpr int64_t kMaxStateBytes = int64_t{32} << 20;
/// See AttentionKernel::busy_blocks.
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

void LaunchSplit(void* native, const Attention::Args& args, const AttentionKernel& kernel, TilePlan plan,
                 int64_t n_blocks) {
  const auto& context = *static_cast<GpuContext*>(native);
  const int64_t block_bytes = StateBytes(args, plan.n_queries, plan.n_chunks);
  const int64_t n_fitting = StateRoom(context, plan, args) / block_bytes;
  const size_t first_byte = context.workspace_bytes - static_cast<size_t>(StateRoom(context, plan, args));
  plan.values = reinterpret_cast<float*>(static_cast<unsigned char*>(context.workspace) + first_byte);
  plan.sums = reinterpret_cast<Softmax*>(plan.values + n_fitting * plan.n_chunks * plan.n_queries * args.kv.head_dim);
  for (int64_t first = 0; first < n_blocks; first += n_fitting) {
    plan.first_block = static_cast<int32_t>(first);
    const auto count = static_cast<uint32_t>(n_blocks - first < n_fitting ? n_blocks - first : n_fitting);
    LaunchEarly(native, kernel.run, dim3(count, static_cast<uint32_t>(plan.n_chunks)), kernel.n_threads,
                kernel.shared_bytes, args, *args.batch, plan);
    LaunchEarly(native, MergeChunks, dim3(count, static_cast<uint32_t>(plan.n_queries)), kMergeThreads,
                sizeof(MergeMemory), args, *args.batch, plan);
  }
}

template <typename Block, int kDim, int kQueries>
void LaunchTiles(void* native, const Attention::Args& args) {
  LaunchAttentionTiles(native, args,
                       {AttendTiles<Block, kDim, kQueries>, kAttentionThreads, sizeof(AttentionShared<kDim, kQueries>),
                        kQueries, kBusyBlocks, 1.0f});
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
  if (LaunchMatrixAttention(native, args)) return;
  if (args.kv.head_dim <= 64) return LaunchDim<Block, 64>(native, args);
  if (args.kv.head_dim <= 128) return LaunchDim<Block, 128>(native, args);
  if (args.kv.head_dim <= 256) return LaunchDim<Block, 256>(native, args);
  if (args.kv.head_dim <= 512) return LaunchDim<Block, 512>(native, args);
  auto& context = *static_cast<GpuContext*>(native);
  if (context.error == 0) context.error = kInvalidValue;
}

void NameVariants(void* native, const Attention::Args& args, const VariantNames& names) {
  const char* by_matrices = MatrixAttentionVariant(native, args);
  names.add(names.to, by_matrices != nullptr ? by_matrices : "F32");
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

void LaunchAttentionTiles(void* native, const Attention::Args& args, const AttentionKernel& kernel) {
  const auto& context = *static_cast<GpuContext*>(native);
  const int group = args.attrs.n_heads / args.kv.n_kv_heads;
  TilePlan plan{};
  plan.n_queries = kernel.n_queries;
  plan.weight_unit = kernel.weight_unit;
  const bool is_one_token_each = args.batch->n_tokens == args.batch->n_sequences;
  plan.tiles_per_token = is_one_token_each ? static_cast<int32_t>(CeilDivide(group, plan.n_queries)) : 0;
  const int64_t n_blocks = static_cast<int64_t>(TilesOf(args, plan.n_queries)) * args.kv.n_kv_heads;
  const int64_t n_chunks = ChunksOf(args);
  if (args.kv.head_dim % kUnit == 0) plan.units = PlaceForUnits(native, args.y);
  const bool fits = StateBytes(args, plan.n_queries, n_chunks) <= StateRoom(context, plan, args);
  if (n_chunks > 1 && fits && n_blocks < kernel.busy_blocks * context.traits->n_processors) {
    plan.n_chunks = static_cast<int32_t>(n_chunks);
    LaunchSplit(native, args, kernel, plan, n_blocks);
  } else {
    LaunchEarly(native, kernel.run, dim3(static_cast<uint32_t>(n_blocks)), kernel.n_threads, kernel.shared_bytes, args,
                *args.batch, plan);
  }
  NoteUnits(native, args.y, plan.units);
}

void RegisterAttention(const GpuTraits& /*traits*/, KernelTable& table) {
#define RF_KV_FORMAT(Name, header)                                                                            \
  table.attention.Set(Format::k##Name, {LaunchAttention<Block##Name>, WorkspaceBytes, "hip/attention_" #Name, \
                                        kFileLayout, NameVariants});
#include "ops/kv_formats.def"
#undef RF_KV_FORMAT
}

}  // namespace rf::hip
