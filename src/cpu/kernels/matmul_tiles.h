// The inner loops of the matrix products: one tile is kTokens rows of activations by one panel of 16 weight rows.
//
// Every output is computed by the same sequence of roundings whichever loop computes it, so that a token's result does
// not depend on how many others are in the batch:
//   integer formats: activations are 16-bit integers q with an F32 scale dx for each 32 (matmul_activations.h);
//     for each block, for each scale of the block: I = sum_i quant_w[i] * q[i], exact in 32 bits;
//       y = fma(I, scale_w * dx, y);   then, with minimums, y = fma(minimum_w, sx, y), sx = dx * sum_i q[i]
//     |I| <= 255 * 32512 * 32 < 2^31.
//   floating-point formats: y = fma(w[i], x[i], y), i ascending.
#pragma once

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
    for (int b = 0; b < kRecordBlocks; ++b, pairs += kPairs * kTokens, scales += 3 * kTokens) {
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
      }
      if constexpr (Block::kHasMinimum) {
        const Floats minimum = block.Minimum();
        for (int t = 0; t < kTokens; ++t) y[t] = MultiplyAdd(minimum, SplatFloat(scales[kTokens + t]), y[t]);
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
      for (int s = 0; s < Block::kScales; ++s, scales += kPanelRows) StoreFloats(scales, block.Scale(s));
      if constexpr (Block::kHasMinimum) {
        StoreFloats(scales, block.Minimum());
        scales += kPanelRows;
      }
    }
  }
}

/// Adds n_blocks blocks of an unpacked panel to sums: for many tokens.
template <int kTokens, int kScales, bool kHasMinimum>
void UnpackedTile(const UnpackedPanel& panel, int64_t n_blocks, const IntegerTile& x, float* sums) {
  static_assert(kScales == 1 || !kHasMinimum);
  const int32_t* w_pairs = panel.pairs;
  const float* w_scales = panel.scales;
  const int32_t* pairs = x.pairs;
  const float* scales = x.scales;
  for (int64_t b = 0; b < n_blocks; ++b) {
#pragma GCC unroll 2
    for (int s = 0; s < kScales; ++s, w_scales += kPanelRows) {
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
          y = MultiplyAdd(LoadFloats(w_scales + kPanelRows), SplatFloat(scales[kTokens + t]), y);
        }
        StoreFloats(sums + t * kPanelRows, y);
      }
    }
    if constexpr (kHasMinimum) w_scales += kPanelRows;
    w_pairs += kPairs * kPanelRows;
    pairs += kPairs * kTokens;
    scales += 3 * kTokens;
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
