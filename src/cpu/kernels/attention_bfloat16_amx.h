// Attention in bfloat16 by AMX: see attention_bfloat16.h. Sixteen queries at a time: their scores against a whole
// chunk, the softmax of those, and the products of the weights with the chunk's values.
#pragma once

#include "cpu/kernels/amx_unit.h"
#include "cpu/kernels/attention_worker.h"

namespace rf::cpu {
namespace {

inline constexpr bool kHasBFloat16Attention = true;

/// Positions that are scored together: four tiles.
inline constexpr int32_t kKeyGroup = 64;
inline constexpr int kTileNumbers = 32;  ///< bfloat16 numbers in a tile's row
inline constexpr int kTileElements = kTileRows * kTileNumbers;
/// Scores of one query; more than a chunk, lest all queries' scores of a position share cache lines' places.
inline constexpr int64_t kScoreStride = kChunk + 16;

using Bits = __m512i;

RF_SIMD Bits LoadBits(const void* from) {
  return _mm512_loadu_si512(from);
}

/// Two vectors as bfloat16: the first one's numbers before the second one's.
RF_SIMD Bits RoundToBFloat16(Vec first, Vec second) {
  return reinterpret_cast<Bits>(_mm512_cvtne2ps_pbh(second, first));
}
RF_SIMD Vec FirstFloats(Bits numbers) {
  const __m256i half = _mm512_castsi512_si256(numbers);
  return reinterpret_cast<Vec>(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}
RF_SIMD Vec SecondFloats(Bits numbers) {
  const __m256i half = _mm512_extracti64x4_epi64(numbers, 1);
  return reinterpret_cast<Vec>(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

/// 32 numbers as the sum of two bfloat16 numbers each.
struct TwoPlanes {
  Bits upper;
  Bits lower;
};
RF_SIMD TwoPlanes SplitNumbers(const float* from) {
  const Vec first = Load(from);
  const Vec second = Load(from + kLanes);
  const Bits upper = RoundToBFloat16(first, second);
  return {upper, RoundToBFloat16(first - FirstFloats(upper), second - SecondFloats(upper))};
}

/// Constants of shuffles. Transpose's stage s exchanges blocks of 2^s words between rows that are 2^s apart.
struct alignas(64) ShuffleOrders {
  int32_t upper[4][16];
  int32_t lower[4][16];
  uint16_t interleaved[32];
  constexpr ShuffleOrders() : upper{}, lower{}, interleaved{} {
    for (int stage = 0; stage < 4; ++stage) {
      for (int i = 0; i < 16; ++i) {
        const int step = 1 << stage;
        upper[stage][i] = (i & step) != 0 ? 16 + i - step : i;
        lower[stage][i] = (i & step) != 0 ? 16 + i : i + step;
      }
    }
    for (int i = 0; i < 32; ++i) interleaved[i] = static_cast<uint16_t>(i / 2 + i % 2 * 16);
  }
};
inline constexpr ShuffleOrders kShuffleOrders;

/// rows[i]'s word j becomes rows[j]'s word i.
RF_SIMD void TransposeWords(Bits (&rows)[16]) {
#pragma GCC unroll 4
  for (int stage = 0; stage < 4; ++stage) {
    const Bits upper = LoadBits(kShuffleOrders.upper[stage]);
    const Bits lower = LoadBits(kShuffleOrders.lower[stage]);
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      if ((i >> stage & 1) != 0) continue;
      const Bits a = rows[i];
      const Bits b = rows[i + (1 << stage)];
      rows[i] = _mm512_permutex2var_epi32(a, upper, b);
      rows[i + (1 << stage)] = _mm512_permutex2var_epi32(a, lower, b);
    }
  }
}

/// Runs jobs on one thread.
template <typename RowType>
class BFloat16Attention {
 public:
  /// Floats of scratch memory for jobs of up to n_queries queries.
  static int64_t ScratchFloats(int64_t n_queries, int64_t head_dim) {
    return Places(n_queries, head_dim).end + SoftmaxStates::Floats(kTileRows, head_dim);
  }

  /// `scratch` is aligned to 64 bytes.
  BFloat16Attention(const Attention::Args& args, float* scratch, int64_t n_queries)
      : args_(args),
        kv_(args.kv),
        head_dim_(args.kv.head_dim),
        padded_dim_(PaddedDim(args.kv.head_dim)),
        group_(args.attrs.n_heads / args.kv.n_kv_heads) {
    const Places places(n_queries, head_dim_);
    queries_ = reinterpret_cast<uint16_t*>(scratch);
    keys_ = reinterpret_cast<uint16_t*>(scratch + places.keys);
    values_ = reinterpret_cast<uint16_t*>(scratch + places.values);
    weights_ = reinterpret_cast<uint16_t*>(scratch + places.weights);
    scores_ = scratch + places.scores;
    rows_ = scratch + places.rows;
    partial_ = SoftmaxStates::At(scratch + places.end, kTileRows, head_dim_);
  }

  /// Adds the job's chunks to `merged`, whose query 0 is the job's first.
  void Run(const AttentionJob& job, const SoftmaxStates& merged) {
    const MatrixUnit unit;
    const int32_t n_queries = job.n_tokens * group_;
    LoadQueries(job, n_queries);
    for (int32_t chunk = job.first_chunk; chunk < job.last_chunk; ++chunk) {
      LoadChunk(job, chunk);
      for (int32_t first = 0; first < n_queries; first += kTileRows) RunTile(job, chunk, first, merged);
    }
  }

 private:
  // Offsets in floats.
  struct Places {
    int64_t keys, values, weights, scores, rows, end;
    Places(int64_t n_queries, int64_t head_dim) {
      const int64_t dim = PaddedDim(head_dim);
      const int64_t n_tiles = (n_queries + kTileRows - 1) / kTileRows;
      keys = n_tiles * kTileRows * dim;  // two planes of 16 bits
      values = keys + kChunk * dim;
      weights = values + kChunk * dim / 2;
      scores = weights + kTileRows * kChunk / 2;
      rows = scores + kTileRows * kScoreStride;
      end = rows + kTileRows * dim;
    }
  };
  // Whole tiles of numbers along the head.
  static int64_t PaddedDim(int64_t head_dim) { return (head_dim + kTileNumbers - 1) / kTileNumbers * kTileNumbers; }

  int64_t DimTiles() const { return padded_dim_ / kTileNumbers; }
  int32_t PositionOf(const AttentionJob& job, int32_t query) const {
    return args_.batch->positions[job.first_token] + query / group_;
  }
  int32_t HeadOf(const AttentionJob& job, int32_t query) const { return job.kv_head * group_ + query % group_; }

  // Tile t of sixteen queries, plane by plane: DimTiles() tiles each.
  uint16_t* QueryTiles(int32_t t, int plane) const { return queries_ + (t * 2 + plane) * DimTiles() * kTileElements; }
  uint16_t* KeyTiles(int32_t t, int plane) const { return keys_ + (t * 2 + plane) * DimTiles() * kTileElements; }
  // Of 32 positions: 2 * DimTiles() tiles of 16 numbers along the head.
  uint16_t* ValueTiles(int32_t block) const { return values_ + block * 2 * DimTiles() * kTileElements; }

  void LoadQueries(const AttentionJob& job, int32_t n_queries) const {
    for (int32_t i = 0; i < (n_queries + kTileRows - 1) / kTileRows * kTileRows; ++i) {
      memset(rows_, 0, static_cast<size_t>(padded_dim_) * sizeof(float));
      if (i < n_queries) {
        const float* q = static_cast<const float*>(args_.q.data) + (job.first_token + i / group_) * args_.q.row_stride +
                         HeadOf(job, i) * head_dim_;
        memcpy(rows_, q, static_cast<size_t>(head_dim_) * sizeof(float));
      }
      for (int64_t d = 0; d < DimTiles(); ++d) {
        const TwoPlanes planes = SplitNumbers(rows_ + d * kTileNumbers);
        const int64_t at = d * kTileElements + i % kTileRows * kTileNumbers;
        _mm512_storeu_si512(QueryTiles(i / kTileRows, 0) + at, planes.upper);
        _mm512_storeu_si512(QueryTiles(i / kTileRows, 1) + at, planes.lower);
      }
    }
  }

  // Reads sixteen positions' rows of K or V into rows_; those from `end` on are zero.
  void ReadRows(const AttentionJob& job, const void* half, int32_t begin, int32_t end) const {
    for (int32_t i = 0; i < kTileRows; ++i) {
      float* row = rows_ + i * padded_dim_;
      memset(row, 0, static_cast<size_t>(padded_dim_) * sizeof(float));
      if (begin + i >= end) continue;
      const int32_t page = PageOf(*args_.batch, kv_, job.sequence, begin + i);
      RowType::Read(KvRowAt<RowType>(kv_, half, page, job.kv_head, (begin + i) % kv_.page_tokens), row, head_dim_);
    }
  }

  // The part of a chunk that some query from `first` to `last` sees, in whole groups.
  struct Range {
    int32_t begin;
    int32_t end;
  };
  Range RangeOf(int32_t chunk, int32_t first_position, int32_t last_position) const {
    const int32_t first = FirstVisible(args_.attrs, first_position);
    const int32_t chunk_end = (chunk + 1) * kChunk;
    const int32_t begin = first > chunk * kChunk ? first : chunk * kChunk;
    const int32_t end = last_position + 1 < chunk_end ? last_position + 1 : chunk_end;
    return {begin / kKeyGroup * kKeyGroup, (end + kKeyGroup - 1) / kKeyGroup * kKeyGroup};
  }

  void LoadChunk(const AttentionJob& job, int32_t chunk) {
    const int32_t last = PositionOf(job, job.n_tokens * group_ - 1);
    const Range range = RangeOf(chunk, PositionOf(job, 0), last);
    n_broken_ = 0;
    for (int32_t begin = range.begin; begin < range.end; begin += kTileRows) {
      const int32_t tile = begin % kChunk / kTileRows;
      ReadRows(job, kv_.k, begin, last + 1);
      StoreKeys(tile);
      ReadRows(job, kv_.v, begin, last + 1);
      StoreValues(tile);
    }
  }

  void StoreKeys(int32_t tile) const {
    for (int64_t d = 0; d < DimTiles(); ++d) {
      Bits upper[kTileRows];
      Bits lower[kTileRows];
      for (int i = 0; i < kTileRows; ++i) {
        const TwoPlanes planes = SplitNumbers(rows_ + i * padded_dim_ + d * kTileNumbers);
        upper[i] = planes.upper;
        lower[i] = planes.lower;
      }
      TransposeWords(upper);
      TransposeWords(lower);
      for (int i = 0; i < kTileRows; ++i) {
        const int64_t at = d * kTileElements + i * kTileNumbers;
        _mm512_storeu_si512(KeyTiles(tile, 0) + at, upper[i]);
        _mm512_storeu_si512(KeyTiles(tile, 1) + at, lower[i]);
      }
    }
  }

  // What is not finite must not meet the zero weight of a query that does not see it: it counts as zero here, and
  // AddBroken adds it where it is seen.
  void StoreValues(int32_t tile) {
    const Bits order = LoadBits(kShuffleOrders.interleaved);
    const Bits exponent = _mm512_set1_epi16(0x7f80);
    uint16_t* tiles = ValueTiles(tile / 2) + tile % 2 * (kTileElements / 2);
    for (int pair = 0; pair < kTileRows / 2; ++pair) {
      const float* first = rows_ + 2 * pair * padded_dim_;
      uint32_t broken = 0;
      for (int64_t d = 0; d < 2 * DimTiles(); ++d) {
        const Vec values[2] = {Load(first + d * kLanes), Load(first + padded_dim_ + d * kLanes)};
        const Bits numbers = _mm512_permutexvar_epi16(order, RoundToBFloat16(values[0], values[1]));
        const __mmask32 not_finite = _mm512_cmpeq_epi16_mask(_mm512_and_si512(numbers, exponent), exponent);
        broken |= not_finite;
        _mm512_storeu_si512(tiles + d * kTileElements + pair * kTileNumbers,
                            _mm512_maskz_mov_epi16(~not_finite, numbers));
      }
      if ((broken & 0x55555555u) != 0) broken_[n_broken_++] = static_cast<int16_t>(tile * kTileRows + 2 * pair);
      if ((broken & 0xaaaaaaaau) != 0) broken_[n_broken_++] = static_cast<int16_t>(tile * kTileRows + 2 * pair + 1);
    }
  }

  // Sixteen queries against a chunk.
  void RunTile(const AttentionJob& job, int32_t chunk, int32_t first, const SoftmaxStates& merged) {
    const int32_t left = job.n_tokens * group_ - first;
    const int32_t count = left < kTileRows ? left : kTileRows;
    const Range range = RangeOf(chunk, PositionOf(job, first), PositionOf(job, first + count - 1));
    if (range.begin >= range.end) return;
    for (int32_t begin = range.begin; begin < range.end; begin += kKeyGroup) {
      ScoreGroup(first / kTileRows, begin % kChunk / kTileRows);
    }
    for (int32_t i = 0; i < kTileRows; ++i) Weigh(job, range, first, i < count ? i : -1, i);
    const int32_t begin_block = (range.begin - chunk * kChunk) / kTileNumbers;
    const int32_t end_block = (range.end - chunk * kChunk) / kTileNumbers;
    int64_t d = 0;
    for (; d + 4 <= 2 * DimTiles(); d += 4) MultiplyValues<4>(begin_block, end_block, d);
    if (d < 2 * DimTiles()) MultiplyValues<2>(begin_block, end_block, d);
    for (int32_t i = 0; i < count; ++i) {
      memcpy(partial_.values + i * head_dim_, rows_ + i * padded_dim_, static_cast<size_t>(head_dim_) * sizeof(float));
      for (int32_t b = 0; b < n_broken_; ++b) AddBroken(job, chunk * kChunk + broken_[b], first, i);
      MergeStates(partial_, i, merged, first + i, head_dim_);
    }
  }

  // Sums of four tiles of positions are in tiles 0 to 3; a sum is added to once in four products, which hides how long
  // one takes.
  void ScoreGroup(int32_t query_tile, int32_t key_tile) const {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    asm volatile("" ::: "memory");  // GCC's tile loads do not say that they read memory
    for (int64_t d = 0; d < DimTiles(); ++d) {
      const auto keys = [&](int tile, int plane) __attribute__((always_inline)) {
        return KeyTiles(key_tile + tile, plane) + d * kTileElements;
      };
      _tile_loadd(4, QueryTiles(query_tile, 0) + d * kTileElements, kTileBytes);
      _tile_loadd(5, QueryTiles(query_tile, 1) + d * kTileElements, kTileBytes);
      AddProducts<4>(keys(0, 0), keys(1, 0), keys(2, 0), keys(3, 0));
      AddProducts<5>(keys(0, 0), keys(1, 0), keys(2, 0), keys(3, 0));
      AddProducts<4>(keys(0, 1), keys(1, 1), keys(2, 1), keys(3, 1));
    }
    float* scores = scores_ + key_tile * kTileRows;
    _tile_stored(0, scores, kScoreStride * sizeof(float));
    _tile_stored(1, scores + kTileRows, kScoreStride * sizeof(float));
    _tile_stored(2, scores + 2 * kTileRows, kScoreStride * sizeof(float));
    _tile_stored(3, scores + 3 * kTileRows, kScoreStride * sizeof(float));
    asm volatile("" ::: "memory");
  }

  template <int kFactor>
  static inline __attribute__((always_inline)) void AddProducts(const uint16_t* a, const uint16_t* b, const uint16_t* c,
                                                                const uint16_t* d) {
    _tile_loadd(6, a, kTileBytes);
    if constexpr (kFactor == 4) _tile_dpbf16ps(0, 4, 6);
    if constexpr (kFactor == 5) _tile_dpbf16ps(0, 5, 6);
    _tile_loadd(7, b, kTileBytes);
    if constexpr (kFactor == 4) _tile_dpbf16ps(1, 4, 7);
    if constexpr (kFactor == 5) _tile_dpbf16ps(1, 5, 7);
    _tile_loadd(6, c, kTileBytes);
    if constexpr (kFactor == 4) _tile_dpbf16ps(2, 4, 6);
    if constexpr (kFactor == 5) _tile_dpbf16ps(2, 5, 6);
    _tile_loadd(7, d, kTileBytes);
    if constexpr (kFactor == 4) _tile_dpbf16ps(3, 4, 7);
    if constexpr (kFactor == 5) _tile_dpbf16ps(3, 5, 7);
  }

  // Scale, cap and bias of a query's scores, and -infinity for what it does not see; returns the largest.
  float MaskScores(float* scores, int32_t position, int32_t head, const Range& range) const {
    const Attention::Attrs& attrs = args_.attrs;
    const int32_t first = FirstVisible(attrs, position);
    const float slope = attrs.alibi_max_bias == 0.0f ? 0.0f : AlibiSlope(attrs.n_heads, head, attrs.alibi_max_bias);
    Vec largest = Broadcast(-INFINITY);
    for (int32_t p = range.begin; p < range.end; p += kLanes) {
      float* at = scores + p % kChunk;
      Vec s = Load(at) * attrs.scale;
      if (attrs.soft_cap != 0.0f) s = Tanh(s * (1.0f / attrs.soft_cap)) * attrs.soft_cap;
      if (attrs.alibi_max_bias != 0.0f) {
        for (int32_t i = 0; i < kLanes; ++i) s[i] -= slope * static_cast<float>(position - p - i);
      }
      if (p < first || p + kLanes - 1 > position) {
        const int32_t hidden = first - p < 0 ? 0 : first - p < kLanes ? first - p : kLanes;
        const int32_t seen = position + 1 - p < 0 ? 0 : position + 1 - p < kLanes ? position + 1 - p : kLanes;
        const auto mask = static_cast<__mmask16>(((1u << seen) - 1) & ~((1u << hidden) - 1));
        s = _mm512_mask_blend_ps(mask, Broadcast(-INFINITY), s);
      }
      Store(at, s);
      largest = Max(largest, s);
    }
    return ReduceMax(largest);
  }

  // Row `row` of the weights exp(score - largest), of query `first` + `query`; zeros if that is -1 or sees nothing
  // here.
  void Weigh(const AttentionJob& job, const Range& range, int32_t first, int32_t query, int32_t row) const {
    uint16_t* weights = weights_ + row * kTileNumbers;
    const int32_t position = query < 0 ? -1 : PositionOf(job, first + query);
    const bool sees = position >= range.begin && FirstVisible(args_.attrs, position) < range.end;
    float* scores = scores_ + row * kScoreStride;
    const float largest = sees ? MaskScores(scores, position, HeadOf(job, first + query), range) : -INFINITY;
    Vec sum{};
    for (int32_t p = range.begin; p < range.end; p += kTileNumbers) {
      Bits numbers = _mm512_setzero_si512();
      if (sees) {
        const float* at = scores + p % kChunk;
        numbers = RoundToBFloat16(Exp(Load(at) - largest), Exp(Load(at + kLanes) - largest));
        sum += FirstFloats(numbers) + SecondFloats(numbers);
      }
      _mm512_storeu_si512(weights + p % kChunk / kTileNumbers * kTileElements, numbers);
    }
    partial_.largest[row] = largest;
    partial_.sum[row] = ReduceAdd(sum);
  }

  // kTiles tiles of values from tile d on, over the blocks of 32 positions [begin, end): into rows_.
  template <int kTiles>
  void MultiplyValues(int32_t begin, int32_t end, int64_t d) const {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    asm volatile("" ::: "memory");
    for (int32_t block = begin; block < end; ++block) {
      const uint16_t* values = ValueTiles(block) + d * kTileElements;
      _tile_loadd(4, weights_ + block * kTileElements, kTileBytes);
      _tile_loadd(5, values, kTileBytes);
      _tile_dpbf16ps(0, 4, 5);
      _tile_loadd(6, values + kTileElements, kTileBytes);
      _tile_dpbf16ps(1, 4, 6);
      if constexpr (kTiles == 4) {
        _tile_loadd(5, values + 2 * kTileElements, kTileBytes);
        _tile_dpbf16ps(2, 4, 5);
        _tile_loadd(6, values + 3 * kTileElements, kTileBytes);
        _tile_dpbf16ps(3, 4, 6);
      }
    }
    float* rows = rows_ + d * kTileRows;
    const auto stride = static_cast<size_t>(padded_dim_) * sizeof(float);
    _tile_stored(0, rows, stride);
    _tile_stored(1, rows + kTileRows, stride);
    if constexpr (kTiles == 4) _tile_stored(2, rows + 2 * kTileRows, stride);
    if constexpr (kTiles == 4) _tile_stored(3, rows + 3 * kTileRows, stride);
    asm volatile("" ::: "memory");
  }

  // The numbers of one position's values that StoreValues left out, for a query of the tile that sees it.
  void AddBroken(const AttentionJob& job, int32_t broken, int32_t first, int32_t query) const {
    const int32_t position = PositionOf(job, first + query);
    if (broken > position || broken < FirstVisible(args_.attrs, position)) return;
    const uint16_t* weights = weights_ + broken % kChunk / kTileNumbers * kTileElements + query * kTileNumbers;
    const float weight = BitsToFloat(uint32_t{weights[broken % kTileNumbers]} << 16);
    const int32_t page = PageOf(*args_.batch, kv_, job.sequence, broken);
    float* row = scores_;  // no longer needed
    RowType::Read(KvRowAt<RowType>(kv_, kv_.v, page, job.kv_head, broken % kv_.page_tokens), row, head_dim_);
    for (int64_t d = 0; d < head_dim_; ++d) {
      const Vec value = Broadcast(row[d]);
      const float rounded = FirstFloats(RoundToBFloat16(value, value))[0];
      if (rounded - rounded != 0.0f) partial_.values[query * head_dim_ + d] += weight * row[d];
    }
  }

  const Attention::Args& args_;
  const KvLayerView& kv_;
  int64_t head_dim_;
  int64_t padded_dim_;
  int32_t group_;
  uint16_t* queries_;
  uint16_t* keys_;     // pairs along the head, a position in each column
  uint16_t* values_;   // pairs of positions, a number of the head in each column
  uint16_t* weights_;  // of sixteen queries, a tile for each 32 positions of a chunk
  float* scores_;      // [kTileRows, kScoreStride]
  float* rows_;        // [kTileRows, padded_dim_]
  int32_t n_broken_ = 0;
  int16_t broken_[kChunk];  // positions in the chunk with values that are not finite
  SoftmaxStates partial_;
};

}  // namespace
}  // namespace rf::cpu
