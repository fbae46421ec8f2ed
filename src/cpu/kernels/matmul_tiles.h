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

/// Adds blocks_per_record * n_records blocks of a packed panel to sums, unpacking in registers: for few tokens.
template <class Block, int kTokens>
void DirectTile(const uint8_t* panel, int64_t n_records, const IntegerTile& x, float* sums) {
  constexpr int kRecordBlocks = Block::kLayout.record_weights / kBlock;
  Floats y[kTokens];
  for (int t = 0; t < kTokens; ++t) y[t] = LoadFloats(sums + t * kPanelRows);
  const int32_t* pairs = x.pairs;
  const float* scales = x.scales;
  for (int64_t r = 0; r < n_records; ++r, panel += Block::kLayout.record_bytes) {
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
      for (int s = 0; s < Block::kScales; ++s) {
        StoreFloats(scales, block.Scale(s));
        scales += kPanelRows;
        if constexpr (Block::kHasMinimum) {
          StoreFloats(scales, block.Minimum(s));
          scales += kPanelRows;
        }
      }
    }
  }
}

/// Puts blocks of one row into lane r of their 8-bit planes and scales.
template <class Rows>
void ReadCodedRow(const uint8_t* row, int64_t n_blocks, int r, uint8_t* planes, float* scales) {
  constexpr int kRecordBlocks = Rows::Block::kElements / kBlock;
  const auto* records = reinterpret_cast<const typename Rows::Block*>(row);
  for (int64_t b = 0; b < n_blocks; ++b, planes += 8 * kWordPlane) {
    CodedBlock block;
    Rows::Read(records[b / kRecordBlocks], static_cast<int>(b % kRecordBlocks), block);
    for (int j = 0; j < 8; ++j) {
      const auto word = static_cast<uint32_t>(block.bytes[j / 2] >> (j % 2 * 32));
      __builtin_memcpy(planes + j * kWordPlane + r * 4, &word, sizeof(word));
    }
    for (int s = 0; s < Rows::kScales; ++s, scales += kPanelRows) scales[r] = block.scales[s];
  }
}

/// Rows first, then planes: what is stored in words is not loaded in vectors before it has reached the cache.
template <class Rows>
void UnpackCodedRows(const FileRows& rows, int64_t n_blocks, uint8_t* planes, const UnpackedPanel& out) {
  if (rows.n_rows < kPanelRows) {
    __builtin_memset(planes, 128, static_cast<size_t>(n_blocks) * 8 * kWordPlane);
    __builtin_memset(out.scales, 0, static_cast<size_t>(n_blocks) * Rows::kScales * kWordPlane);
  }
  for (int r = 0; r < rows.n_rows; ++r) {
    ReadCodedRow<Rows>(rows.first + r * rows.row_bytes, n_blocks, r, planes, out.scales);
  }
  for (int64_t b = 0; b < n_blocks; ++b) {
    const BytePairs bytes{planes + b * 8 * kWordPlane};
#pragma GCC unroll 16
    for (int p = 0; p < kPairs; ++p) {
      StoreInts(out.pairs + (b * kPairs + p) * kPanelRows, Subtract16(bytes.Pair(p), 128));
    }
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
