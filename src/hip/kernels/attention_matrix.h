// Attention of a tile of queries by matrix instructions on halves: (token, head) pairs of one sequence that share a
// head of the cache, so that keys and values are read once for all of them.
//
// The positions are taken in chunks of kChunk, as in attention_tile.h. Of a chunk each of the block's four waves scores
// a quarter of the positions for all queries, and sums the weighted values in a quarter of the columns; the weights go
// from one to the other through shared memory. A query is a row of a matrix instruction's operand, and nothing here
// depends on the other rows, on how many there are, or on whether one block or several take the chunks: so a token's
// result has the same bits as part of a prompt and alone.
//
// Rounded to halves are queries, brought to a power of two of their own; weights, the largest of a chunk being 2^15, so
// that none that counts is subnormal; and keys and values of quantized formats. Sums are in F32.
#pragma once

#include "hip/kernels/attention_place.h"
#include "hip/kernels/cache_halves.h"
#include "hip/kernels/halves.h"

namespace rf::hip {
namespace {

inline constexpr int kAttentionWaves = 4;
inline constexpr int kWavePositions = kChunk / kAttentionWaves;
inline constexpr int kWeightBits = 15;  ///< the largest score of a chunk weighs 2^15
inline constexpr float kWeightUnit = 32768.0f;
inline constexpr int kPositionTiles = kWavePositions / kMatrixSide;
static_assert(kWavePositions == kProductColumns, "what a wave scores is what a product sums over");

/// What a query's product with a key is multiplied by, and its head's slope.
struct QueryFactors {
  float scale;
  float slope;
};

/// kDim: the most elements of a head; kFragments: times sixteen queries; kStagedPositions: of values that lie in shared
/// memory at a time.
template <int kDimOf, int kFragmentsOf, int kStagedPositionsOf>
struct MatrixAttentionShape {
  static constexpr int kDim = kDimOf;
  static constexpr int kFragments = kFragmentsOf;
  static constexpr int kStagedPositions = kStagedPositionsOf;
  static constexpr bool kIsTall = kFragments > (kDim <= 128 ? 2 : 1);  ///< only for kIsTallWave
  /// Of a processor, where the compiler must be told: blocks of few queries wait for memory, and for each other's end
  /// where a context may be longer than it is.
  static constexpr int kBlocks = kFragments > 1 || kDim > 128 ? 2 : 3;
  static constexpr int kQueries = kFragments * kMatrixSide;
  static constexpr int kColumnTiles = kDim / kMatrixSide / kAttentionWaves;  ///< of a wave
  struct Operands {
    HalfMatrix<kQueries, kDim> queries;
    HalfMatrix<kQueries, kChunk> weights;
    HalfMatrix<kDim, kStagedPositions> values;  ///< transposed
  };
  struct Memory {
    Operands operands;       ///< and at last the results, [kQueries][kDim / 4 + 1] Float4
    int64_t rows[kChunk];    ///< CacheRowIndex of the chunk's positions
    int32_t broken[kChunk];  ///< whether a value of the position is not finite; when looked for
    float largest[kAttentionWaves][kQueries];
    float sums[kAttentionWaves][kQueries];
    QueryPlace places[kQueries];
    QueryFactors factors[kQueries];
    Softmax total[kQueries];
    Softmax of_chunk[kQueries];
    MergeScales scales[kQueries];
    int32_t is_broken;
    AttentionOutputs outputs;  ///< here, for want of registers
    TilePlan plan;
  };
  static_assert(sizeof(Operands) >= sizeof(Float4) * kQueries * (kDim / 4 + 1));
};

/// One block's work. Block is the cache's format.
template <typename Block, typename Shape>
struct MatrixAttention {
  static constexpr int kFragments = Shape::kFragments;
  static constexpr int kColumnTiles = Shape::kColumnTiles;
  static constexpr int kStages = kChunk / Shape::kStagedPositions;
  using Memory = typename Shape::Memory;
  using Scores = MatrixSums[kFragments][kPositionTiles];
  using Values = MatrixSums[kFragments][kColumnTiles];
  using Stage = ValueStage<Block, Shape::kDim, Shape::kStagedPositions, kAttentionWaves>;

  const Attention::Args& args;
  const BatchView& batch;
  Memory& shared;
  int sequence;
  int kv_head;
  int n_queries;
  SeenPositions seen;
  bool is_careful;  ///< values that are not finite are kept from queries that do not see them
  int page;         ///< of the thread's position in the next chunk

  RF_DEVICE_MEMBER static int Threads() { return kAttentionWaves * WaveSize(); }
  /// The tile's queries that a fragment has, if any.
  RF_DEVICE_MEMBER bool HasQueries(int fragment) const {
    return fragment == 0 || fragment * kMatrixSide < Afresh(n_queries);
  }
  RF_DEVICE_MEMBER static int QueryOf(int fragment, int i) {
    return fragment * kMatrixSide + LaneRow(LaneRowOfValue(i));
  }
  /// A wave's tiles of columns are four apart.
  RF_DEVICE_MEMBER static int FirstColumn(int tile) {
    return (tile * kAttentionWaves + OfWave(WaveIndex())) * kMatrixSide;
  }
  RF_DEVICE_MEMBER bool HasColumns(int tile) const { return FirstColumn(tile) < Afresh(args.kv.head_dim); }

  /// A wave rounds a query after the other. A barrier must follow.
  RF_DEVICE_MEMBER void LoadQueries() {
    for (int query = WaveIndex(); query < Shape::kQueries; query += kAttentionWaves) LoadQuery(query);
  }

  /// Looks for the page of the thread's position in a chunk: long before it is needed, as it takes time.
  RF_DEVICE_MEMBER void FetchPage(int chunk) { page = PageOf(batch, args.kv, sequence, PositionAt(chunk)); }

  /// The chunk's unnormalized values; of_chunk, the total and its scales are set. All threads, after FetchPage().
  RF_DEVICE_MEMBER void AddChunk(int chunk, Values& values) {
    const int begin = chunk * kChunk;
    BlockBarrier();
    StoreRow(chunk);
    FetchPage(chunk + 1);
    BlockBarrier();
    Stage stage{args.kv.v, args.kv.head_dim, shared.rows};
    stage.Load(0);
    Scores scores = {};
    Multiply(scores);
    TurnIntoScores(begin, scores);
    BlockBarrier();
    TurnIntoWeights(scores);
    Store(stage, 0);
    BlockBarrier();
    MergeStates();
    [[maybe_unused]] constexpr int kUnrolled = 1;
    RF_UNROLL_LOADS
    for (int i = 0; i < kStages; ++i) {
      if (i + 1 < kStages) stage.Load(i + 1);
      AddValues(i, values);
      BlockBarrier();
      if (i + 1 == kStages) break;
      Store(stage, i + 1);
      BlockBarrier();
    }
  }

  /// What is broken becomes visible in the states of those that see it. All threads; a barrier must follow.
  RF_DEVICE_MEMBER void BreakStates(int chunk) {
    const auto query = static_cast<int>(threadIdx.x);
    if (!is_careful || query >= n_queries) return;
    for (int i = 0; i < kChunk; ++i) {
      if (shared.broken[i] == 0 || !Sees(query, chunk * kChunk + i)) continue;
      shared.of_chunk[query].sum = NAN;
      shared.total[query].sum = NAN;
    }
  }

  template <typename Use>
  RF_DEVICE_MEMBER void ForEachValue(Use use) const {
    RF_UNROLL
    for (int f = 0; f < kFragments; ++f) {
      if (!HasQueries(f)) break;
      RF_UNROLL
      for (int c = 0; c < kColumnTiles; ++c) {
        if (!HasColumns(c)) break;
        RF_UNROLL
        for (int i = 0; i < MatrixValuesOfLane(); ++i) use(f, c, i);
      }
    }
  }

  /// Whether any is not finite, in all threads; shared.is_broken was 0.
  RF_DEVICE_MEMBER bool AreBroken(const Values& values) const {
    bool is_broken = false;
    ForEachValue([&](int f, int c, int i) { is_broken |= !(fabsf(values[f][c].values[i]) < INFINITY); });
    if (is_broken) shared.is_broken = 1;
    BlockBarrier();
    return OfWave(shared.is_broken) != 0;
  }

 private:
  RF_DEVICE_MEMBER void ClearQuery(int query) {
    for (int i = Lane(); i < Shape::kDim / kPieceColumns; i += WaveSize())
      shared.operands.queries.pieces[query][i] = {};
    if (Lane() == 0) shared.factors[query] = {};
  }
  RF_DEVICE_MEMBER void LoadQuery(int query) {
    constexpr int kPasses = (Shape::kDim / 4 + 31) / 32;  // of the smallest waves
    if (query >= n_queries) return ClearQuery(query);
    const QueryPlace place = shared.places[query];
    const float* q = RowOf(args.q, place.token) + static_cast<int64_t>(place.head) * args.kv.head_dim;
    Float4 x[kPasses] = {};
    uint32_t bits = 0;
    RF_UNROLL
    for (int pass = 0; pass < kPasses; ++pass) {
      const int column = (Lane() + pass * WaveSize()) * 4;
      if (column >= args.kv.head_dim) continue;
      x[pass] = {q[column], q[column + 1], q[column + 2], q[column + 3]};
      const float values[4] = {x[pass].x, x[pass].y, x[pass].z, x[pass].w};
      RF_UNROLL
      for (float value : values) bits = MagnitudeBits(value) > bits ? MagnitudeBits(value) : bits;
    }
    uint32_t exponent = static_cast<uint32_t>(WaveMax(uint64_t{bits})) >> 23;
    if (exponent < kSmallestExponent) exponent = 0;
    const bool is_zero = exponent == 0 || exponent == kNotFinite;
    const float scale = is_zero ? 0.0f : PowerOfTwo(2 * 127 + kHalfBits - exponent);
    RF_UNROLL
    for (int pass = 0; pass < kPasses; ++pass) {
      const int column = (Lane() + pass * WaveSize()) * 4;
      if (column >= Shape::kDim) continue;
      shared.operands.queries.SetPair(query, column, is_zero ? 0 : PackHalves(x[pass].x * scale, x[pass].y * scale));
      shared.operands.queries.SetPair(query, column + 2,
                                      is_zero ? 0 : PackHalves(x[pass].z * scale, x[pass].w * scale));
    }
    if (Lane() != 0) return;
    const Attention::Attrs& attrs = args.attrs;
    const bool has_slope = attrs.alibi_max_bias != 0.0f;
    shared.factors[query] = {SliceScale(exponent) * attrs.scale,
                             has_slope ? AlibiSlope(attrs.n_heads, place.head, attrs.alibi_max_bias) : 0.0f};
  }

  /// The thread's position in a chunk, or the nearest that any query sees: what nobody sees is loaded from there.
  RF_DEVICE_MEMBER int PositionAt(int chunk) const {
    const int position = chunk * kChunk + static_cast<int>(threadIdx.x) % kChunk;
    if (position < seen.first_of_any) return seen.first_of_any;
    return position < seen.end_of_any ? position : seen.end_of_any - 1;
  }
  // Where the chunk's positions lie.
  RF_DEVICE_MEMBER void StoreRow(int chunk) {
    const auto thread = static_cast<int>(threadIdx.x);
    if (thread >= kChunk) return;
    shared.rows[thread] = CacheRowIndex(args.kv, page, kv_head, PositionAt(chunk) % args.kv.page_tokens);
    if (is_careful) shared.broken[thread] = 0;
  }

  // The queries' products with the keys of the wave's positions, which lie in the cache as the instruction wants them.
  RF_DEVICE_MEMBER void Multiply(Scores& scores) const {
    const Block* rows[kPositionTiles][kMostRows];
    RF_UNROLL
    for (int tile = 0; tile < kPositionTiles; ++tile) {
      RF_UNROLL
      for (int i = 0; i < LaneRows(); ++i) {
        rows[tile][i] = CacheBlocks<Block>(args.kv.k, args.kv.head_dim, shared.rows[PositionOf(tile, LaneRow(i))]);
      }
    }
    [[maybe_unused]] constexpr int kUnrolled = 2;
    RF_UNROLL_LOADS
    for (int product = 0; product < Shape::kDim / kProductColumns; ++product) {
      if (product * kProductColumns >= Afresh(args.kv.head_dim)) continue;
      HalfFragment keys[kPositionTiles] = {};
      RF_UNROLL
      for (int tile = 0; tile < kPositionTiles; ++tile) LoadKeys(rows[tile], product, keys[tile]);
      RF_UNROLL
      for (int f = 0; f < kFragments; ++f) {
        if (!HasQueries(f)) break;
        const HalfFragment queries = shared.operands.queries.Load(f * kMatrixSide, product);
        RF_UNROLL
        for (int tile = 0; tile < kPositionTiles; ++tile) {
          scores[f][tile] = MultiplyHalves<false>(queries, keys[tile], scores[f][tile]);
        }
      }
    }
  }
  RF_DEVICE_MEMBER void LoadKeys(const Block* const (&rows)[kMostRows], int product, HalfFragment& keys) const {
    RF_UNROLL
    for (int i = 0; i < LaneRows(); ++i) {
      RF_UNROLL
      for (int p = 0; p < PiecesOfLane(); ++p) {
        const int column = PieceOfProduct(product, p) * kPieceColumns;
        // Behind the last column queries are 0.
        keys.pieces[i][p] = LoadHalfPiece(rows[i], column < Afresh(args.kv.head_dim) ? column : 0);
      }
    }
  }
  /// The position in the chunk of a row of the wave's tile.
  RF_DEVICE_MEMBER static int PositionOf(int tile, int row) {
    return OfWave(WaveIndex()) * kWavePositions + tile * kMatrixSide + PairedRow(row);
  }

  RF_DEVICE_MEMBER bool Sees(int query, int position) const {
    const QueryPlace& place = shared.places[query];
    return position >= place.first_seen && position <= place.position;
  }
  /// score = use(score, its query, which of the lane's rows that is, its position), of a fragment's scores.
  template <typename Use>
  RF_DEVICE_MEMBER static void ForEachScore(int begin, int fragment, Scores& scores, Use use) {
    RF_UNROLL
    for (int tile = 0; tile < kPositionTiles; ++tile) {
      RF_UNROLL
      for (int i = 0; i < MatrixValuesOfLane(); ++i) {
        float& score = scores[fragment][tile].values[i];
        score = use(score, QueryOf(fragment, i), LaneRowOfValue(i), begin + PositionOf(tile, MatrixRow(i)));
      }
    }
  }

  // Makes scores of products, -infinity where a query does not see, and leaves each query's largest. A barrier must
  // follow. What is seldom wanted has loops of its own: a step of one token waits for its instructions too.
  RF_DEVICE_MEMBER void TurnIntoScores(int begin, Scores& scores) {
    const bool all_see = begin >= seen.first_of_all && begin + kChunk <= seen.end_of_all;
    RF_UNROLL
    for (int f = 0; f < kFragments; ++f) {
      if (!HasQueries(f)) break;
      QueryFactors factors[kMostRows];
      float largest[kMostRows];
      RF_UNROLL
      for (int r = 0; r < LaneRows(); ++r) {
        factors[r] = shared.factors[f * kMatrixSide + LaneRow(r)];
        largest[r] = -INFINITY;
      }
      ForEachScore(begin, f, scores, [&](float product, int, int r, int) { return product * factors[r].scale; });
      if (IsSet(args.attrs.soft_cap)) {
        const float cap = args.attrs.soft_cap;
        ForEachScore(begin, f, scores, [&](float score, int, int, int) { return cap * tanhf(score / cap); });
      }
      if (IsSet(args.attrs.alibi_max_bias)) {
        ForEachScore(begin, f, scores, [&](float score, int query, int r, int position) {
          return score - factors[r].slope * static_cast<float>(shared.places[query].position - position);
        });
      }
      if (!all_see) {
        ForEachScore(begin, f, scores, [&](float score, int query, int, int position) {
          return Sees(query, position) ? score : -INFINITY;
        });
      }
      ForEachScore(begin, f, scores, [&](float score, int, int r, int) {
        largest[r] = fmaxf(largest[r], score);
        return score;
      });
      RF_UNROLL
      for (int r = 0; r < LaneRows(); ++r) {
        const float of_wave = OverSharers(largest[r], [](float a, float b) { return fmaxf(a, b); });
        if (LanePart() == 0) shared.largest[WaveIndex()][f * kMatrixSide + LaneRow(r)] = of_wave;
      }
    }
  }
  /// Of the lanes that have the same queries; in all of them.
  template <typename Combine>
  RF_DEVICE_MEMBER static float OverSharers(float value, Combine combine) {
    const int n_sharers = WaveSize() * LaneRows() / kMatrixSide;
    for (int n = 1; n < n_sharers; n *= 2) value = combine(value, ShuffleXor(value, n * LanePartStride()));
    return value;
  }

  /// The largest score of a query in the chunk.
  RF_DEVICE_MEMBER float LargestOf(int query) const {
    float largest = shared.largest[0][query];
    RF_UNROLL
    for (int wave = 1; wave < kAttentionWaves; ++wave) largest = fmaxf(largest, shared.largest[wave][query]);
    return largest;
  }

  // Makes weights of scores, and leaves each query's sum of the wave's. A barrier must follow.
  RF_DEVICE_MEMBER void TurnIntoWeights(Scores& scores) {
    constexpr float kLog2E = 1.44269504f;
    RF_UNROLL
    for (int f = 0; f < kFragments; ++f) {
      if (!HasQueries(f)) break;
      float largest[kMostRows];
      float sums[kMostRows] = {};
      RF_UNROLL
      for (int r = 0; r < LaneRows(); ++r) {
        largest[r] = LargestOf(f * kMatrixSide + LaneRow(r));
        if (largest[r] == -INFINITY) largest[r] = 0.0f;  // nothing is seen: all weigh 0
      }
      RF_UNROLL
      for (int tile = 0; tile < kPositionTiles; ++tile) {
        RF_UNROLL
        for (int i = 0; i < MatrixValuesOfLane(); i += 2) {
          const int r = LaneRowOfValue(i);
          float weights[2];
          RF_UNROLL
          for (int j = 0; j < 2; ++j) {
            const float below = scores[f][tile].values[i + j] - largest[r];
            weights[j] = exp2f(fmaf(below, kLog2E, static_cast<float>(kWeightBits)));
            sums[r] += weights[j];
          }
          shared.operands.weights.SetPair(QueryOf(f, i), PositionOf(tile, MatrixRow(i)),
                                          PackHalves(weights[0], weights[1]));
        }
      }
      RF_UNROLL
      for (int r = 0; r < LaneRows(); ++r) {
        const float of_wave = OverSharers(sums[r], [](float a, float b) { return a + b; });
        if (LanePart() == 0) shared.sums[WaveIndex()][f * kMatrixSide + LaneRow(r)] = of_wave;
      }
    }
  }

  // The chunk's states, and how the values before and the chunk's are to be scaled.
  RF_DEVICE_MEMBER void MergeStates() {
    const auto query = static_cast<int>(threadIdx.x);
    if (query >= Afresh(n_queries)) return;
    float sum = shared.sums[0][query];
    RF_UNROLL
    for (int wave = 1; wave < kAttentionWaves; ++wave) sum += shared.sums[wave][query];
    shared.of_chunk[query] = {LargestOf(query), sum};
    shared.scales[query] = Merge(shared.total[query], shared.of_chunk[query]);
  }

  RF_DEVICE_MEMBER void Store(const Stage& stage, int i) {
    stage.Store(shared.operands.values);
    if (is_careful) Stage::Mend(i, shared.operands.values, shared.broken);
  }

  // values += weights * V of the staged positions.
  RF_DEVICE_MEMBER void AddValues(int stage, Values& values) const {
    constexpr int kProducts = Shape::kStagedPositions / kProductColumns;
    RF_UNROLL
    for (int product = 0; product < kProducts; ++product) {
      HalfFragment weights[kFragments] = {};
      RF_UNROLL
      for (int f = 0; f < kFragments; ++f) {
        if (!HasQueries(f)) break;
        weights[f] = shared.operands.weights.Load(f * kMatrixSide, stage * kProducts + product);
      }
      RF_UNROLL
      for (int c = 0; c < kColumnTiles; ++c) {
        if (!HasColumns(c)) break;
        const HalfFragment columns = shared.operands.values.Load(FirstColumn(c), product);
        RF_UNROLL
        for (int f = 0; f < kFragments; ++f) {
          if (HasQueries(f)) values[f][c] = MultiplyHalves<false>(weights[f], columns, values[f][c]);
        }
      }
    }
  }
};

}  // namespace
}  // namespace rf::hip
