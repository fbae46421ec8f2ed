// What the kernels of attention share: which queries a block takes and what they see, softmaxes and how those of chunks
// are merged, and how a result is written.
#pragma once

#include "hip/kernels/units.h"
#include "hip/kernels/views.h"
#include "ops/attention.h"

namespace rf::hip {

inline constexpr int kChunk = 128;  ///< positions that have a softmax of their own

/// A softmax so far: the largest score, and the sum of exp(score - largest); 0: nothing was seen.
struct Softmax {
  float largest;
  float sum;
};

/// How a batch is cut into tiles: those of a sequence one after another, each for every head of the cache. Beyond the
/// last sequence there may be some that are empty.
struct TilePlan {
  int32_t tiles_per_token;  ///< if every sequence has one token; else 0
  int32_t first_block;      ///< of this launch, in tiles times heads
  int32_t n_chunks;         ///< that a block's place in `states` has room for; 0: not split
  int32_t n_queries;        ///< of a tile
  float weight_unit;        ///< what the largest score of a chunk weighs
  float* values;            ///< [blocks, n_chunks, n_queries, head_dim]
  Softmax* sums;            ///< [blocks, n_chunks, n_queries]
  UnitsPlace units;         ///< of y
};

namespace {

/// By what the values before and those that are added are multiplied.
struct MergeScales {
  float before;
  float added;
};

RF_DEVICE MergeScales Merge(Softmax& total, const Softmax& added) {
  if (added.sum == 0.0f) return {1.0f, 0.0f};
  if (total.sum == 0.0f) {
    total = added;
    return {0.0f, 1.0f};
  }
  const float largest = fmaxf(total.largest, added.largest);
  const MergeScales scales{expf(total.largest - largest), expf(added.largest - largest)};
  total = {largest, added.sum * scales.added + total.sum * scales.before};
  return scales;
}

/// What Merge() makes of the total, its scales being known.
RF_DEVICE void AddState(Softmax& total, const Softmax& added, const MergeScales& scales) {
  if (added.sum == 0.0f) return;
  if (total.sum == 0.0f) {
    total = added;
  } else {
    total = {fmaxf(total.largest, added.largest), added.sum * scales.added + total.sum * scales.before};
  }
}

/// By what the values are multiplied at last: a sink joins the denominator, where the largest score weighs weight_unit.
RF_DEVICE float FinalScale(const Softmax& total, const float* sink, float weight_unit) {
  if (sink == nullptr) return 1.0f / total.sum;
  const float largest = fmaxf(total.largest, *sink);
  const float scale = expf(total.largest - largest);
  return scale / (total.sum * scale + expf(*sink - largest) * weight_unit);
}

/// Slope of a head as in Press et al. 2021, section 3, also for head counts that are no power of two.
RF_DEVICE float AlibiSlope(int n_heads, int head, float max_bias) {
  int power = 1;
  while (power * 2 <= n_heads) power *= 2;
  if (head < power) return exp2f(-max_bias * static_cast<float>(head + 1) / static_cast<float>(power));
  return exp2f(-max_bias / 2.0f * static_cast<float>(2 * (head - power) + 1) / static_cast<float>(power));
}

/// A query and the positions that it sees, first_seen .. position. An unused place sees none: position is -1.
struct QueryPlace {
  int token;
  int head;
  int first_seen;
  int position;
};

/// Whether an attribute is not 0.
RF_DEVICE bool IsSet(float attribute) {
  return Afresh(static_cast<int>(MagnitudeBits(attribute))) != 0;
}

/// The positions that any of a tile's queries sees, and those that all see; ends are one beyond.
struct SeenPositions {
  int first_of_any;
  int end_of_any;
  int first_of_all;
  int end_of_all;
};

struct TilePlace {
  int sequence;
  int first_query;  ///< of the sequence's queries: its tokens one after another, the heads of the group innermost
  int n_queries;    ///< 0: there is no such tile
};

RF_DEVICE TilePlace TilePlaceAt(const BatchView& batch, const TilePlan& plan, int tile, int group) {
  if (plan.tiles_per_token > 0) {
    const int first = tile % plan.tiles_per_token * plan.n_queries;
    const int left = group - first;
    return {tile / plan.tiles_per_token, first, left < plan.n_queries ? left : plan.n_queries};
  }
  for (int s = 0; s < batch.n_sequences; ++s) {
    const int n_queries = (batch.first_token[s + 1] - batch.first_token[s]) * group;
    const int n_tiles = (n_queries + plan.n_queries - 1) / plan.n_queries;
    if (tile < n_tiles) {
      const int left = n_queries - tile * plan.n_queries;
      return {s, tile * plan.n_queries, left < plan.n_queries ? left : plan.n_queries};
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

/// Where results go, and what they are made with.
struct AttentionOutputs {
  TensorView y;
  UnitsPlace units;  ///< of y
  const float* sinks;
  float weight_unit;  ///< TilePlan's
  int32_t head_dim;
};
RF_DEVICE void SetOutputs(const Attention::Args& args, const TilePlan& plan, AttentionOutputs& outputs) {
  outputs.y = args.y;
  outputs.units = plan.units;
  outputs.sinks = static_cast<const float*>(args.sinks.data);
  outputs.weight_unit = plan.weight_unit;
  outputs.head_dim = args.kv.head_dim;
}

// Writes four of a query's columns, with their units. All lanes of the wave, those too that have no such query.
RF_DEVICE void StoreQuery(const AttentionOutputs& outputs, const QueryPlace& place, int column, const Softmax& total,
                          const Float4& values, bool is_there) {
  const float* sink = outputs.sinks == nullptr ? nullptr : outputs.sinks + place.head;
  const Float4 y = is_there ? values * FinalScale(total, sink, outputs.weight_unit) : Float4{};
  const int in_row = place.head * outputs.head_dim + column;
  if (is_there) {
    float* to = RowOf(outputs.y, place.token) + in_row;
    to[0] = y.x;
    to[1] = y.y;
    to[2] = y.z;
    to[3] = y.w;
  }
  if (outputs.units.at != nullptr) MakeUnit(y, outputs.units, place.token, in_row, is_there);
}

}  // namespace
}  // namespace rf::hip
