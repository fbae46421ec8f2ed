// Attention of a tile of queries: up to kQueries (token, head) pairs of one sequence that share a head of the cache.
//
// The positions are taken in chunks of kChunk, counted from position 0 whatever the batch is. Each chunk has a softmax
// of its own; the chunks are merged in order (online softmax, arXiv:2205.14135). Nothing in this depends on the other
// queries of the tile, on the tile's size, or on whether one block of threads or several take the chunks.
#pragma once

#include "hip/kernels/attention_place.h"
#include "hip/kernels/cache_tile.h"

namespace rf::hip {
namespace {

inline constexpr int kAttentionThreads = 128;

/// kDim: the most elements of a head.
template <int kDim, int kQueries>
struct AttentionShared {
  static constexpr int kPositions = 4096 / kDim;  ///< that are loaded at a time
  Float4 queries[kQueries][kDim / 4];
  CacheTile<kDim, kPositions> tile;
  float scores[kQueries][kChunk];  ///< and then exp(score - largest)
  int64_t rows[kChunk];            ///< CacheRowIndex of the chunk's positions
  QueryPlace places[kQueries];
  Softmax total[kQueries];
  Softmax of_chunk[kQueries];
  MergeScales scales[kQueries];
};

/// The columns of values that a thread sums: four, for each of its kPerThread queries.
template <int kDim, int kQueries>
struct ValuePlace {
  static constexpr int kColumns = kDim / 4;
  static constexpr int kGroups = kAttentionThreads / kColumns;
  static constexpr int kPerThread = kQueries > kGroups ? kQueries / kGroups : 1;
  int column;       ///< in units of four
  int first_query;  ///< kQueries or more: the thread has none

  RF_DEVICE_MEMBER static ValuePlace OfThread() {
    const auto thread = static_cast<int>(threadIdx.x);
    return {thread % kColumns, thread / kColumns * kPerThread};
  }
};

/// One block's work on a tile of queries. Block is the cache's format.
template <typename Block, int kDim, int kQueries>
struct AttentionTile {
  using Memory = AttentionShared<kDim, kQueries>;
  using Values = ValuePlace<kDim, kQueries>;
  static constexpr int kPositions = Memory::kPositions;

  const Attention::Args& args;
  const BatchView& batch;
  Memory& shared;
  int sequence;
  int kv_head;
  SeenPositions seen;

  RF_DEVICE_MEMBER CacheSource SourceOf(const void* half, int offset) const {
    return {half, args.kv.head_dim, &shared.rows[offset]};
  }

  /// Loads the queries from x. All threads; a barrier must follow.
  RF_DEVICE_MEMBER void LoadQueries() {
    constexpr int kColumns = kDim / 4;
    for (int i = static_cast<int>(threadIdx.x); i < kQueries * kColumns; i += kAttentionThreads) {
      const QueryPlace place = shared.places[i / kColumns];
      const int column = i % kColumns * 4;
      if (place.position < 0 || column >= args.kv.head_dim) continue;
      const float* q = RowOf(args.q, place.token) + static_cast<int64_t>(place.head) * args.kv.head_dim + column;
      shared.queries[i / kColumns][i % kColumns] = {q[0], q[1], q[2], q[3]};
    }
  }

  /// The chunk's softmax and unnormalized values; of_chunk is set. All threads; a barrier must precede.
  RF_DEVICE_MEMBER void AddChunk(int chunk, Float4 (&values)[Values::kPerThread]) {
    const int begin = chunk * kChunk;
    const int first = seen.first_of_any > begin ? seen.first_of_any : begin;
    const int end = seen.end_of_any < begin + kChunk ? seen.end_of_any : begin + kChunk;
    const int first_tile = first / kPositions * kPositions;
    FindRows(begin, first, end);
    BlockBarrier();
    for (int at = first_tile; at < end; at += kPositions) {
      shared.tile.template Load<Block, kAttentionThreads>(SourceOf(args.kv.k, at - begin), at, first, end);
      BlockBarrier();
      ScoreTile(at, at - begin);
      BlockBarrier();
    }
    for (int query = WaveIndex(); query < kQueries; query += WavesInBlock()) SoftmaxOf(query, begin);
    for (int at = first_tile; at < end; at += kPositions) {
      shared.tile.template Load<Block, kAttentionThreads>(SourceOf(args.kv.v, at - begin), at, first, end);
      BlockBarrier();
      AddValues(at, at - begin, values);
      BlockBarrier();
    }
  }

 private:
  // Where the chunk's positions lie, once for all pieces of K and V: it takes divisions.
  RF_DEVICE_MEMBER void FindRows(int begin, int first, int end) {
    static_assert(kAttentionThreads >= kChunk);
    const int position = begin + static_cast<int>(threadIdx.x);
    if (position < first || position >= end) return;
    const int page = PageOf(batch, args.kv, sequence, position);
    shared.rows[position - begin] = CacheRowIndex(args.kv, page, kv_head, position % args.kv.page_tokens);
  }

  // A thread scores one position with a few queries. Positions that a query does not see get some number.
  RF_DEVICE_MEMBER void ScoreTile(int begin, int offset) {
    constexpr int kPerThread =
        kQueries * kPositions > kAttentionThreads ? kQueries * kPositions / kAttentionThreads : 1;
    const int row = static_cast<int>(threadIdx.x) % kPositions;
    const int first = static_cast<int>(threadIdx.x) / kPositions * kPerThread;
    if (first >= kQueries) return;
    float sums[kPerThread] = {};
    for (int i = 0; i < args.kv.head_dim / 4; ++i) {
      const Float4 k = shared.tile.rows[row][i];
      RF_UNROLL
      for (int j = 0; j < kPerThread; ++j) sums[j] = FusedDot(k, shared.queries[first + j][i], sums[j]);
    }
    RF_UNROLL
    for (int j = 0; j < kPerThread; ++j) {
      shared.scores[first + j][offset + row] = ScoreOf(shared.places[first + j], begin + row, sums[j]);
    }
  }

  RF_DEVICE_MEMBER float ScoreOf(const QueryPlace& place, int position, float product) const {
    const Attention::Attrs& attrs = args.attrs;
    float score = product * attrs.scale;
    if (IsSet(attrs.soft_cap)) score = attrs.soft_cap * tanhf(score / attrs.soft_cap);
    if (IsSet(attrs.alibi_max_bias)) {
      score -=
          AlibiSlope(attrs.n_heads, place.head, attrs.alibi_max_bias) * static_cast<float>(place.position - position);
    }
    return score;
  }

  // A wave turns a query's scores into weights; what the query does not see weighs 0.
  RF_DEVICE_MEMBER void SoftmaxOf(int query, int begin) {
    const QueryPlace place = shared.places[query];
    float* scores = shared.scores[query];
    float largest = -INFINITY;
    for (int i = Lane(); i < kChunk; i += WaveSize()) {
      if (Sees(place, begin + i)) largest = fmaxf(largest, scores[i]);
    }
    largest = WaveMax(largest);
    float sum = 0.0f;
    for (int i = Lane(); i < kChunk; i += WaveSize()) {
      const float weight = Sees(place, begin + i) ? expf(scores[i] - largest) : 0.0f;
      scores[i] = weight;
      sum += weight;
    }
    sum = WaveSum(sum);
    if (Lane() == 0) shared.of_chunk[query] = {largest, sum};
  }

  RF_DEVICE_MEMBER static bool Sees(const QueryPlace& place, int position) {
    return position >= place.first_seen && position <= place.position;
  }

  // values += weight * V, position after position.
  RF_DEVICE_MEMBER void AddValues(int begin, int offset, Float4 (&values)[Values::kPerThread]) {
    const Values place = Values::OfThread();
    if (place.first_query >= kQueries || place.column * 4 >= Afresh(args.kv.head_dim)) return;
    for (int i = 0; i < kPositions; i += 4) {
      if (begin + i + 4 <= seen.first_of_any || begin + i >= seen.end_of_any) continue;
      const Float4* rows = &shared.tile.rows[i][place.column];
      const Float4 v[4] = {rows[0], rows[kDim / 4 + 1], rows[2 * (kDim / 4 + 1)], rows[3 * (kDim / 4 + 1)]};
      const bool all_see = begin + i >= seen.first_of_all && begin + i + 4 <= seen.end_of_all;
      RF_UNROLL
      for (int j = 0; j < Values::kPerThread; ++j) {
        const int query = place.first_query + j;
        const Float4 weights = *reinterpret_cast<const Float4*>(&shared.scores[query][offset + i]);
        values[j] =
            all_see ? AddFour(weights, v, values[j]) : AddSeen(shared.places[query], begin + i, weights, v, values[j]);
      }
    }
  }

  RF_DEVICE_MEMBER static Float4 AddFour(const Float4& weights, const Float4 (&v)[4], const Float4& sum) {
    return FusedScale(v[3], weights.w,
                      FusedScale(v[2], weights.z, FusedScale(v[1], weights.y, FusedScale(v[0], weights.x, sum))));
  }

  // A weight of 0 would not keep out an infinity that a later token stored.
  RF_DEVICE_MEMBER static Float4 AddSeen(const QueryPlace& place, int position, const Float4& weights,
                                         const Float4 (&v)[4], Float4 sum) {
    if (Sees(place, position)) sum = FusedScale(v[0], weights.x, sum);
    if (Sees(place, position + 1)) sum = FusedScale(v[1], weights.y, sum);
    if (Sees(place, position + 2)) sum = FusedScale(v[2], weights.z, sum);
    if (Sees(place, position + 3)) sum = FusedScale(v[3], weights.w, sum);
    return sum;
  }
};

}  // namespace
}  // namespace rf::hip
