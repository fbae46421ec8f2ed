// The inner loops of the matrix products: one tile is kTokens rows of activations by one panel of 16 weight rows.
//
// Every output is computed by the same sequence of roundings whichever loop computes it, so that a token's result does
// not depend on how many others are in the batch:
//   integer formats: activations are 16-bit integers q with an F32 scale dx for each 32 (matmul_activations.h);
//     for each block, for each scale of the block: I = sum_i quant_w[i] * q[i], exact in 32 bits;
//       y = fma(I, scale_w * dx, y);   then, with minimums, y = fma(minimum_w, sx, y), sx = dx * sum_i q[i]
//     (of two halves, the second's sx is the block's less the first's);
//     |I| <= 255 * 32512 * 32 < 2^31.
//   floating-point formats: y = fma(w[i], x[i], y), i ascending.
#pragma once

#include "cpu/kernels/matmul_codebooks.h"
#include "cpu/kernels/matmul_formats.h"
#include "cpu/kernels/matmul_types.h"

namespace rf::cpu {
namespace {

template <int kTokens>
RF_LANES_INLINE int32_t NegatedSum(const float* block_scales, int t) {
  int32_t value;
  __builtin_memcpy(&value, block_scales + 2 * kTokens + t, sizeof(value));
  return value;
}

/// sx of the weights that scale s of kScales belongs to.
template <int kTokens, int kScales>
RF_LANES_INLINE float ScaledSum(const float* block_scales, int s, int t) {
  const float whole = block_scales[kTokens + t];
  if constexpr (kScales == 1) return whole;
  const float first = block_scales[3 * kTokens + t];
  return s == 0 ? first : whole - first;
}

RF_LANES_INLINE constexpr int Log2(int power) {
  return power <= 1 ? 0 : 1 + Log2(power / 2);
}

/// Fetches what is read some records later into the second-level cache: more lines at a time than processors fetch
/// ahead by themselves. Behind the weight's end it does nothing.
template <int kBytes>
RF_LANES_INLINE void PrefetchRecord(const uint8_t* record) {
  constexpr int kAhead = 4096;
  for (int i = 0; i < kBytes; i += 64) __builtin_prefetch(record + kAhead + i, 0, 2);
}

/// Adds blocks_per_record * n_records blocks of a packed panel to sums, unpacking in registers: for few tokens.
template <class Block, int kTokens>
void DirectTile(const uint8_t* panel, int64_t n_records, const IntegerTile& x, float* sums) {
  constexpr int kRecordBlocks = Block::kLayout.record_weights / kBlock;
  Floats y[kTokens];
  for (int t = 0; t < kTokens; ++t) y[t] = LoadFloats(sums + t * kPanelRows);
  const int32_t* pairs = x.pairs;
  const float* scales = x.scales;
  for (int64_t r = 0; r < n_records; ++r, panel += Block::kLayout.record_bytes) {
    PrefetchRecord<Block::kLayout.record_bytes>(panel);
    for (int b = 0; b < kRecordBlocks; ++b, pairs += kPairs * kTokens, scales += kBlockNumbers * kTokens) {
      const Block block(panel, b);
#pragma GCC unroll 2
      for (int s = 0; s < Block::kScales; ++s) {
        Ints products[kTokens];
        for (int t = 0; t < kTokens; ++t) {
          products[t] = ZeroInts();
          if constexpr (Block::kOffset != 0 && Block::kScales == 1) {
            products[t] = ShiftLeft(SplatInt(NegatedSum<kTokens>(scales, t)), Log2(Block::kOffset));
          }
        }
#pragma GCC unroll 16
        for (int p = s; p < kPairs; p += Block::kScales) {
          Ints w = block.Pair(p);
          if constexpr (Block::kScales != 1) w = Subtract16(w, Block::kOffset);
          for (int t = 0; t < kTokens; ++t) {
            products[t] = AddPairProducts(products[t], w, SplatInt(pairs[p * kTokens + t]));
          }
        }
        const Floats scale = block.Scale(s);
        for (int t = 0; t < kTokens; ++t) {
          y[t] = MultiplyAdd(ToFloats(products[t]), Multiply(scale, SplatFloat(scales[t])), y[t]);
        }
        if constexpr (Block::kHasMinimum) {
          const Floats minimum = block.Minimum(s);
          for (int t = 0; t < kTokens; ++t) {
            y[t] = MultiplyAdd(minimum, SplatFloat(ScaledSum<kTokens, Block::kScales>(scales, s, t)), y[t]);
          }
        }
      }
    }
  }
  for (int t = 0; t < kTokens; ++t) StoreFloats(sums + t * kPanelRows, y[t]);
}

/// Stores a block's scales and minimums as an UnpackedPanel has them; returns their end.
template <class Block>
RF_LANES_INLINE float* StoreBlockScales(const Block& block, float* scales) {
  for (int s = 0; s < Block::kScales; ++s) {
    StoreFloats(scales, block.Scale(s));
    scales += kPanelRows;
    if constexpr (Block::kHasMinimum) {
      StoreFloats(scales, block.Minimum(s));
      scales += kPanelRows;
    }
  }
  return scales;
}

template <class Block>
void UnpackPanel(const uint8_t* panel, int64_t n_records, const UnpackedPanel& out) {
  constexpr int kRecordBlocks = Block::kLayout.record_weights / kBlock;
  int32_t* pairs = out.pairs;
  float* scales = out.scales;
  for (int64_t r = 0; r < n_records; ++r, panel += Block::kLayout.record_bytes) {
    for (int b = 0; b < kRecordBlocks; ++b, pairs += kPairs * kPanelRows) {
      const Block block(panel, b);
#pragma GCC unroll 16
      for (int p = 0; p < kPairs; ++p) {
        StoreInts(pairs + p * kPanelRows, Subtract16(block.Pair(p), Block::kOffset));
      }
      scales = StoreBlockScales(block, scales);
    }
  }
}

/// Reads n_blocks blocks of up to 16 rows, whole records of them, as bytes (kCodedBlockBytes a block) and scales.
template <class Rows>
void ReadCodedRows(const FileRows& rows, int64_t n_blocks, uint8_t* bytes, float* scales) {
  using Record = typename Rows::Block;
  static_assert(Record::kElements == kCodedBlocks * kBlock);
  if (rows.n_rows < kPanelRows) {
    __builtin_memset(bytes, 0, static_cast<size_t>(n_blocks) * kCodedBlockBytes);
    __builtin_memset(scales, 0, static_cast<size_t>(n_blocks) * Rows::kScales * kWordPlane);
  }
  for (int r = 0; r < rows.n_rows; ++r) {
    const auto* records = reinterpret_cast<const Record*>(rows.first + r * rows.row_bytes);
    for (int64_t b = 0; b < n_blocks; b += kCodedBlocks) {
      Rows::Read(records[b / kCodedBlocks],
                 {bytes + b * kCodedBlockBytes + RowPlace(r) * kBlock, scales + b * Rows::kScales * kPanelRows + r});
    }
  }
}

/// The words (four weights) of 16 rows that a block's bytes hold: word j, then word j + 4.
RF_LANES_INLINE void TransposeCodedBlock(const uint8_t* bytes, Ints (&words)[8]) {
  Ints first[4];
  Ints last[4];
  for (int i = 0; i < 4; ++i) {
    first[i] = LoadInts(bytes + i * kWordPlane);
    last[i] = LoadInts(bytes + (4 + i) * kWordPlane);
  }
  Transpose(first);
  Transpose(last);
  for (int j = 0; j < 4; ++j) {
    words[j] = FirstHalves(first[j], last[j]);
    words[4 + j] = SecondHalves(first[j], last[j]);
  }
}

/// Reads rows and calls store(block, p, pair) for each pair of 16-bit integers of each block; scales go to `scales`.
template <class Rows, class Store>
RF_LANES_INLINE void ForEachCodedPair(const FileRows& rows, int64_t n_blocks, uint8_t* bytes, float* scales,
                                      Store store) {
  ReadCodedRows<Rows>(rows, n_blocks, bytes, scales);
  for (int64_t b = 0; b < n_blocks; ++b) {
    Ints words[8];
    TransposeCodedBlock(bytes + b * kCodedBlockBytes, words);
#pragma GCC unroll 16
    for (int p = 0; p < kPairs; ++p) store(b, p, SignedBytePair(words[p / 4 + p % 2 * 4], p % 4 >= 2));
  }
}

/// The same as UnpackPanel leaves it: for many tokens.
template <class Rows>
void UnpackCodedRows(const FileRows& rows, int64_t n_blocks, uint8_t* bytes, const UnpackedPanel& out) {
  ForEachCodedPair<Rows>(rows, n_blocks, bytes, out.scales, [&](int64_t b, int p, const Ints& pair) {
    StoreInts(out.pairs + (b * kPairs + p) * kPanelRows, pair);
  });
}

/// For each four lanes the sums of four rows' products: weights of eight rows from `bytes` on.
RF_LANES_INLINE Ints EightRowProducts(const uint8_t* bytes, const Quads& x) {
  const auto products = [&](int i) { return QuadProducts(LoadInts(bytes + i * kWordPlane), x); };
  const Ints first = AddNeighbours(products(0), products(1));
  return AddNeighbours(first, AddNeighbours(products(2), products(3)));
}

/// Adds n_blocks blocks of rows read as bytes to sums: for few tokens. The roundings are UnpackedTile's.
template <int kScales>
void CodedTile(const CodedPanel& panel, int64_t n_blocks, const IntegerTile& x, int n_tokens, float* sums) {
  const uint8_t* bytes = panel.bytes;
  const float* w_scales = panel.scales;
  const float* scales = x.scales;
  for (int64_t b = 0; b < n_blocks; ++b) {
    for (int t = 0; t < n_tokens; ++t) {
      const Quads quads = LoadQuads(x.quads + t * x.row_quads + b * kQuadsBytes);
      const Ints upper_rows = EightRowProducts(bytes, quads);
      const Ints lower_rows = EightRowProducts(bytes + kCodedBlockBytes / 2, quads);
      Ints products[2] = {FirstHalves(upper_rows, lower_rows), SecondHalves(upper_rows, lower_rows)};
      if constexpr (kScales == 1) products[0] = Add(products[0], products[1]);
      Floats y = LoadFloats(sums + t * kPanelRows);
      for (int s = 0; s < kScales; ++s) {
        const Floats scale = Multiply(LoadFloats(w_scales + s * kPanelRows), SplatFloat(scales[t]));
        y = MultiplyAdd(ToFloats(products[s]), scale, y);
      }
      StoreFloats(sums + t * kPanelRows, y);
    }
    bytes += kCodedBlockBytes;
    w_scales += kScales * kPanelRows;
    scales += kBlockNumbers * n_tokens;
  }
}

/// Adds n_blocks blocks of an unpacked panel to sums: for many tokens.
template <int kTokens, int kScales, bool kHasMinimum>
void UnpackedTile(const UnpackedPanel& panel, int64_t n_blocks, const IntegerTile& x, float* sums) {
  const int32_t* w_pairs = panel.pairs;
  const float* w_scales = panel.scales;
  const int32_t* pairs = x.pairs;
  const float* scales = x.scales;
  for (int64_t b = 0; b < n_blocks; ++b) {
#pragma GCC unroll 2
    for (int s = 0; s < kScales; ++s, w_scales += (kHasMinimum ? 2 : 1) * kPanelRows) {
      Ints products[kTokens];
      for (int t = 0; t < kTokens; ++t) products[t] = ZeroInts();
#pragma GCC unroll 16
      for (int p = s; p < kPairs; p += kScales) {
        const Ints w = LoadInts(w_pairs + p * kPanelRows);
        for (int t = 0; t < kTokens; ++t) {
          products[t] = AddPairProducts(products[t], w, SplatInt(pairs[p * kTokens + t]));
        }
      }
      const Floats scale = LoadFloats(w_scales);
      for (int t = 0; t < kTokens; ++t) {
        Floats y = LoadFloats(sums + t * kPanelRows);
        y = MultiplyAdd(ToFloats(products[t]), Multiply(scale, SplatFloat(scales[t])), y);
        if constexpr (kHasMinimum) {
          const float sum = ScaledSum<kTokens, kScales>(scales, s, t);
          y = MultiplyAdd(LoadFloats(w_scales + kPanelRows), SplatFloat(sum), y);
        }
        StoreFloats(sums + t * kPanelRows, y);
      }
    }
    w_pairs += kPairs * kPanelRows;
    pairs += kPairs * kTokens;
    scales += kBlockNumbers * kTokens;
  }
}

/// What reads the columns of a floating-point panel.
struct F32Columns {
  static constexpr int kBytes = kWordPlane;
  RF_LANES_INLINE static Floats Load(const uint8_t* p) { return LoadFloats(p); }
};
struct F16Columns {
  static constexpr int kBytes = kHalfPlane;
  RF_LANES_INLINE static Floats Load(const uint8_t* p) { return LoadHalfs(p); }
};
struct BF16Columns {
  static constexpr int kBytes = kHalfPlane;
  RF_LANES_INLINE static Floats Load(const uint8_t* p) { return BitsToFloats(ShiftLeft(LoadUnsigned16(p), 16)); }
};

/// Adds n_cols columns of a floating-point panel to sums. x: value i of token t is x[i * kTokens + t].
template <class Columns, int kTokens>
void FloatTile(const uint8_t* panel, int64_t n_cols, const float* x, float* sums) {
  Floats y[kTokens];
  for (int t = 0; t < kTokens; ++t) y[t] = LoadFloats(sums + t * kPanelRows);
  for (int64_t i = 0; i < n_cols; ++i, panel += Columns::kBytes, x += kTokens) {
    const Floats w = Columns::Load(panel);
    for (int t = 0; t < kTokens; ++t) y[t] = MultiplyAdd(w, SplatFloat(x[t]), y[t]);
  }
  for (int t = 0; t < kTokens; ++t) StoreFloats(sums + t * kPanelRows, y[t]);
}

}  // namespace
}  // namespace rf::cpu
