// The inner part of attention: a few queries that share a KV head, against that head's positions.
//
// Positions are taken in blocks of kKeyBlock and chunks of kChunk, counted from position 0 whatever the batch is; each
// chunk has a softmax of its own (online, arXiv:2205.14135) and chunks are merged in order. So a query's roundings
// depend on its own position only.
#pragma once

#include <math.h>

#include "cpu/kernels/kv_rows.h"
#include "cpu/kernels/register.h"
#include "cpu/simd/maths.h"

namespace rf::cpu {
namespace {

inline constexpr int32_t kKeyBlock = 32;  // positions that are converted and scored together
inline constexpr int32_t kChunk = 512;    // positions of one softmax pass
inline constexpr int32_t kQueryTile = 4;  // queries that are scored together against a block
inline constexpr int32_t kMaxJobTokens = 16;

/// What one thread does at a time: queries of n_tokens tokens of one sequence (one after another), all heads of one KV
/// head's group, over the chunks [first_chunk, last_chunk).
struct AttentionJob {
  int32_t sequence;
  int32_t kv_head;
  int32_t first_token;
  int32_t n_tokens;
  int32_t first_chunk;
  int32_t last_chunk;
};

/// First position that a query at `position` looks at.
[[maybe_unused]] static int32_t FirstVisible(const Attention::Attrs& attrs, int32_t position) {
  return attrs.window > 0 && position >= attrs.window ? position - attrs.window + 1 : 0;
}

/// A set of running softmaxes: per query the largest score, the sum of exponentials, and the weighted values.
struct SoftmaxStates {
  float* largest;  ///< [n_queries]
  float* sum;      ///< [n_queries]; 0: nothing was added yet
  float* values;   ///< [n_queries, head_dim]

  static int64_t Floats(int64_t n_queries, int64_t head_dim) { return n_queries * (head_dim + 2); }
  static SoftmaxStates At(float* memory, int64_t n_queries, int64_t head_dim) {
    return {memory + n_queries * head_dim, memory + n_queries * (head_dim + 1), memory};
  }
};

[[maybe_unused]] static void ScaleRow(float* row, float scale, int64_t n) {
  ForEachVec(n, [&](int64_t i, int64_t count) { StoreUpTo(row + i, LoadUpTo(row + i, count) * scale, count); });
}

/// Adds query `i` of `from` to query `j` of `into`.
[[maybe_unused]] static void MergeStates(const SoftmaxStates& from, int64_t i, const SoftmaxStates& into, int64_t j,
                                         int64_t head_dim) {
  const float* source = from.values + i * head_dim;
  float* target = into.values + j * head_dim;
  if (from.sum[i] == 0.0f) return;
  if (into.sum[j] == 0.0f) {
    memcpy(target, source, static_cast<size_t>(head_dim) * sizeof(float));
    into.largest[j] = from.largest[i];
    into.sum[j] = from.sum[i];
    return;
  }
  const float largest = from.largest[i] > into.largest[j] ? from.largest[i] : into.largest[j];
  const float source_scale = expf(from.largest[i] - largest);
  const float target_scale = expf(into.largest[j] - largest);
  ForEachVec(head_dim, [&](int64_t d, int64_t n) {
    const Vec scaled = LoadUpTo(target + d, n) * target_scale;
    StoreUpTo(target + d, FusedMultiplyAdd(LoadUpTo(source + d, n), Broadcast(source_scale), scaled), n);
  });
  into.largest[j] = largest;
  into.sum[j] = from.sum[i] * source_scale + into.sum[j] * target_scale;
}

/// Slope of a head as in Press et al. 2021, section 3, also for head counts that are no power of two.
[[maybe_unused]] static float AlibiSlope(int32_t n_heads, int32_t head, float max_bias) {
  int32_t power = 1;
  while (power * 2 <= n_heads) power *= 2;
  if (head < power) return exp2f(-max_bias * static_cast<float>(head + 1) / static_cast<float>(power));
  return exp2f(-max_bias / 2.0f * static_cast<float>(2 * (head - power) + 1) / static_cast<float>(power));
}

/// Divides by the sums, to which a sink adds its own share, and writes the job's rows of y.
[[maybe_unused]] static void FinishJob(const Attention::Args& args, const AttentionJob& job,
                                       const SoftmaxStates& merged) {
  const int32_t group = args.attrs.n_heads / args.kv.n_kv_heads;
  const int64_t head_dim = args.kv.head_dim;
  for (int32_t i = 0; i < job.n_tokens * group; ++i) {
    const int32_t head = job.kv_head * group + i % group;
    float* y = static_cast<float*>(args.y.data) + (job.first_token + i / group) * args.y.row_stride + head * head_dim;
    float sum = merged.sum[i];
    float scale = 1.0f;
    if (args.sinks.data != nullptr) {
      const float sink = static_cast<const float*>(args.sinks.data)[head];
      const float largest = sink > merged.largest[i] ? sink : merged.largest[i];
      scale = expf(merged.largest[i] - largest);
      sum = sum * scale + expf(sink - largest);
    }
    memcpy(y, merged.values + i * head_dim, static_cast<size_t>(head_dim) * sizeof(float));
    ScaleRow(y, scale / sum, head_dim);
  }
}

/// Runs jobs on one thread. RowType is the cache's format (kv_rows.h).
template <typename RowType>
class AttentionWorker {
 public:
  /// Floats of scratch memory for jobs of up to n_queries queries.
  static int64_t ScratchFloats(int64_t n_queries, int64_t head_dim) {
    return (2 * kKeyBlock + 1) * head_dim + kQueryTile * kKeyBlock + SoftmaxStates::Floats(n_queries, head_dim);
  }

  AttentionWorker(const Attention::Args& args, float* scratch, int64_t n_queries)
      : args_(args), kv_(args.kv), head_dim_(args.kv.head_dim), group_(args.attrs.n_heads / args.kv.n_kv_heads) {
    k_ = scratch;
    v_ = k_ + kKeyBlock * head_dim_;
    row_ = v_ + kKeyBlock * head_dim_;
    scores_ = row_ + head_dim_;
    partial_ = SoftmaxStates::At(scores_ + kQueryTile * kKeyBlock, n_queries, head_dim_);
  }

  /// Adds the job's chunks to `merged`, whose query 0 is the job's first.
  void Run(const AttentionJob& job, const SoftmaxStates& merged) {
    const int32_t n_queries = job.n_tokens * group_;
    for (int32_t chunk = job.first_chunk; chunk < job.last_chunk; ++chunk) {
      for (int32_t i = 0; i < n_queries; ++i) {
        partial_.largest[i] = -INFINITY;
        partial_.sum[i] = 0.0f;
      }
      memset(partial_.values, 0, static_cast<size_t>(n_queries * head_dim_) * sizeof(float));
      RunChunk(job, chunk);
      for (int32_t i = 0; i < n_queries; ++i) MergeStates(partial_, i, merged, i, head_dim_);
    }
  }

 private:
  struct QueryPlace {
    int32_t position;
    int32_t head;
  };

  QueryPlace PlaceOf(const AttentionJob& job, int32_t query) const {
    return {args_.batch->positions[job.first_token + query / group_], job.kv_head * group_ + query % group_};
  }

  void RunChunk(const AttentionJob& job, int32_t chunk) {
    const int32_t* positions = args_.batch->positions + job.first_token;
    const int32_t first_needed = FirstVisible(args_.attrs, positions[0]);
    const int32_t n_visible = positions[job.n_tokens - 1] + 1;
    const int32_t end = (chunk + 1) * kChunk < n_visible ? (chunk + 1) * kChunk : n_visible;
    for (int32_t begin = chunk * kChunk; begin < end; begin += kKeyBlock) {
      if (begin + kKeyBlock <= first_needed) continue;
      LoadBlock(job, begin, end - begin < kKeyBlock ? end - begin : kKeyBlock);
      for (int32_t first = 0; first < job.n_tokens * group_; first += kQueryTile) RunTile(job, first, begin);
    }
  }

  // K transposed, so that a lane is a position, and V as it lies, in F32; positions beyond `count` are zero and masked
  // later.
  void LoadBlock(const AttentionJob& job, int32_t begin, int32_t count) {
    for (int32_t i = 0; i < count; ++i) {
      const int32_t page = PageOf(*args_.batch, kv_, job.sequence, begin + i);
      const int32_t slot = (begin + i) % kv_.page_tokens;
      RowType::Read(KvRowAt<RowType>(kv_, kv_.k, page, job.kv_head, slot), row_, head_dim_);
      for (int64_t d = 0; d < head_dim_; ++d) k_[d * kKeyBlock + i] = row_[d];
      RowType::Read(KvRowAt<RowType>(kv_, kv_.v, page, job.kv_head, slot), v_ + i * head_dim_, head_dim_);
    }
    for (int32_t i = count; i < kKeyBlock; ++i) {
      for (int64_t d = 0; d < head_dim_; ++d) k_[d * kKeyBlock + i] = 0.0f;
      memset(v_ + i * head_dim_, 0, static_cast<size_t>(head_dim_) * sizeof(float));
    }
  }

  // Scores, softmax update and weighted values of up to kQueryTile queries against the loaded block.
  void RunTile(const AttentionJob& job, int32_t first, int32_t begin) {
    const int32_t left = job.n_tokens * group_ - first;
    const float* q[kQueryTile];
    for (int32_t i = 0; i < kQueryTile; ++i) {
      const int32_t query = first + (i < left ? i : 0);
      q[i] = static_cast<const float*>(args_.q.data) + (job.first_token + query / group_) * args_.q.row_stride +
             PlaceOf(job, query).head * head_dim_;
    }
    ScoreTile(q);
    Visible visible[kQueryTile] = {};
    for (int32_t i = 0; i < kQueryTile && i < left; ++i) {
      float* scores = scores_ + i * kKeyBlock;
      visible[i] = VisibleOf(PlaceOf(job, first + i), begin);
      if (visible[i].is_empty()) continue;
      MaskScores(scores, PlaceOf(job, first + i), begin, visible[i]);
      UpdateSoftmax(first + i, scores);
    }
    AddTileValues(first, visible);
  }

  void ScoreTile(const float* const* q) const {
    constexpr int kVecs = kKeyBlock / kLanes;
    Vec sums[kQueryTile][kVecs] = {};
    for (int64_t d = 0; d < head_dim_; ++d) {
      for (int v = 0; v < kVecs; ++v) {
        const Vec k = Load(k_ + d * kKeyBlock + v * kLanes);
        for (int i = 0; i < kQueryTile; ++i) sums[i][v] = FusedMultiplyAdd(k, Broadcast(q[i][d]), sums[i][v]);
      }
    }
    for (int i = 0; i < kQueryTile; ++i) {
      for (int v = 0; v < kVecs; ++v) Store(scores_ + i * kKeyBlock + v * kLanes, sums[i][v]);
    }
  }

  // The block's positions [begin, end), counted from its start, that a query sees.
  struct Visible {
    int32_t begin;
    int32_t end;

    bool is_empty() const { return begin >= end; }
    bool operator==(const Visible& other) const { return begin == other.begin && end == other.end; }
  };

  Visible VisibleOf(const QueryPlace& place, int32_t block_begin) const {
    const int32_t first = FirstVisible(args_.attrs, place.position) - block_begin;
    const int32_t end = place.position - block_begin + 1;
    return {first > 0 ? first : 0, end < kKeyBlock ? end : kKeyBlock};
  }

  // Scale, cap, bias and mask of a query's scores against the block that begins at position `begin`.
  void MaskScores(float* scores, const QueryPlace& place, int32_t begin, const Visible& visible) const {
    const Attention::Attrs& attrs = args_.attrs;
    for (int32_t i = 0; i < kKeyBlock; i += kLanes) {
      Vec s = Load(scores + i) * attrs.scale;
      if (attrs.soft_cap != 0.0f) s = Tanh(s * (1.0f / attrs.soft_cap)) * attrs.soft_cap;
      Store(scores + i, s);
    }
    if (attrs.alibi_max_bias != 0.0f) {
      const float slope = AlibiSlope(attrs.n_heads, place.head, attrs.alibi_max_bias);
      const int32_t last = place.position - begin;
      for (int32_t i = 0; i < kKeyBlock; ++i) scores[i] -= slope * static_cast<float>(last - i);
    }
    for (int32_t i = 0; i < visible.begin; ++i) scores[i] = -INFINITY;
    for (int32_t i = visible.end; i < kKeyBlock; ++i) scores[i] = -INFINITY;
  }

  // Turns scores into weights exp(score - largest) and rescales what was summed before.
  void UpdateSoftmax(int32_t query, float* scores) {
    Vec largest_vec = Load(scores);
    for (int32_t i = kLanes; i < kKeyBlock; i += kLanes) largest_vec = Max(largest_vec, Load(scores + i));
    const float block_largest = ReduceMax(largest_vec);
    const float before = partial_.largest[query];
    const float largest = block_largest > before ? block_largest : before;
    Vec sum{};
    for (int32_t i = 0; i < kKeyBlock; i += kLanes) {
      const Vec weight = Exp(Load(scores + i) - largest);
      Store(scores + i, weight);
      sum += weight;
    }
    if (largest > before && partial_.sum[query] != 0.0f) {
      const float scale = expf(before - largest);
      ScaleRow(partial_.values + query * head_dim_, scale, head_dim_);
      partial_.sum[query] *= scale;
    }
    partial_.largest[query] = largest;
    partial_.sum[query] += ReduceAdd(sum);
  }

  // Adds the values that each query of a tile sees, and no others: a weight of 0 would not keep out an infinity that a
  // later token stored. Queries that see the same share the loads.
  void AddTileValues(int32_t first, const Visible* visible) {
    int32_t i = 0;
    while (i < kQueryTile) {
      int32_t count = 1;
      while (i + count < kQueryTile && visible[i + count] == visible[i]) ++count;
      if (!visible[i].is_empty()) AddValues(first + i, scores_ + i * kKeyBlock, count, visible[i]);
      i += count;
    }
  }

  void AddValues(int32_t query, const float* weights, int32_t count, const Visible& visible) const {
    switch (count) {
      case 1: return AddValuesOf<1>(query, weights, visible);
      case 2: return AddValuesOf<2>(query, weights, visible);
      case 3: return AddValuesOf<3>(query, weights, visible);
      default: return AddValuesOf<kQueryTile>(query, weights, visible);
    }
  }

  // values[query] += sum over the visible positions of weight * V, position by position.
  template <int32_t kCount>
  void AddValuesOf(int32_t query, const float* weights, const Visible& visible) const {
    constexpr int64_t kWide = 2 * kLanes;
    const int64_t wide_end = head_dim_ / kWide * kWide;
    for (int64_t d = 0; d < wide_end; d += kWide) AddWideValues<kCount>(query, weights, visible, d);
    ForEachVec(head_dim_ - wide_end, [&](int64_t offset, int64_t n) {
      const int64_t d = wide_end + offset;
      float* values = partial_.values + query * head_dim_ + d;
      Vec sums[kCount];
      for (int i = 0; i < kCount; ++i) sums[i] = LoadUpTo(values + i * head_dim_, n);
      for (int32_t p = visible.begin; p < visible.end; ++p) {
        const Vec v = LoadUpTo(v_ + p * head_dim_ + d, n);
        for (int i = 0; i < kCount; ++i) sums[i] = FusedMultiplyAdd(v, Broadcast(weights[i * kKeyBlock + p]), sums[i]);
      }
      for (int i = 0; i < kCount; ++i) StoreUpTo(values + i * head_dim_, sums[i], n);
    });
  }

  // The same for two registers of V: more sums at a time than an addition takes cycles.
  template <int32_t kCount>
  void AddWideValues(int32_t query, const float* weights, const Visible& visible, int64_t d) const {
    float* values = partial_.values + query * head_dim_ + d;
    Vec sums[kCount][2];
    for (int i = 0; i < kCount; ++i) {
      sums[i][0] = Load(values + i * head_dim_);
      sums[i][1] = Load(values + i * head_dim_ + kLanes);
    }
    for (int32_t p = visible.begin; p < visible.end; ++p) {
      const Vec v[2] = {Load(v_ + p * head_dim_ + d), Load(v_ + p * head_dim_ + d + kLanes)};
      for (int i = 0; i < kCount; ++i) {
        const Vec weight = Broadcast(weights[i * kKeyBlock + p]);
        sums[i][0] = FusedMultiplyAdd(v[0], weight, sums[i][0]);
        sums[i][1] = FusedMultiplyAdd(v[1], weight, sums[i][1]);
      }
    }
    for (int i = 0; i < kCount; ++i) {
      Store(values + i * head_dim_, sums[i][0]);
      Store(values + i * head_dim_ + kLanes, sums[i][1]);
    }
  }

  const Attention::Args& args_;
  const KvLayerView& kv_;
  int64_t head_dim_;
  int32_t group_;
  float* k_;       // [head_dim, kKeyBlock]
  float* v_;       // [kKeyBlock, head_dim]
  float* row_;     // [head_dim]
  float* scores_;  // [kQueryTile, kKeyBlock]
  SoftmaxStates partial_;
};

}  // namespace
}  // namespace rf::cpu
