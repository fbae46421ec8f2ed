// Activations as the matrix products read them: in tiles of up to kTileTokens rows, the rows of a tile interleaved.
//
// For integer formats each 32 values become 16-bit integers q and one F32 scale dx = max|x| / 32512, q = round(x / dx):
// 1.5e-5 of the largest value at most, NMSE about 1e-9. 32512 = 127 * 256, so that q splits into two signed bytes for
// instruction sets that multiply bytes. NaN and infinity make the scale NaN, and so the outputs.
#pragma once

#include "base/half.h"
#include "cpu/kernels/matmul_bytes.h"
#include "cpu/kernels/matmul_matrix.h"
#include "cpu/kernels/matmul_types.h"

namespace rf::cpu {
namespace {

inline constexpr float kLargestQuant = 32512.0f;
/// Below this a block counts as zero: 1 / dx would overflow.
inline constexpr float kSmallestMaximum = 1e-30f;

/// Blocks of kBlock columns, the last one filled with zeros.
RF_LANES_INLINE int64_t BFloat16Blocks(int64_t n_cols) {
  return (n_cols + kBlock - 1) / kBlock;
}

/// Where the prepared rows lie. Row a begins at a times a row's size in each array; a tile's rows are interleaved.
struct PreparedRows {
  int64_t d_in = 0;
  int32_t* pairs = nullptr;  ///< d_in / 2 for each row; null if no integer format reads them
  float* scales = nullptr;   ///< kBlockNumbers * d_in / 32 for each row
  uint8_t* quads = nullptr;  ///< 2 * d_in bytes for each row, not interleaved; null if no codebook format reads them
  float* values = nullptr;   ///< d_in for each row; null if no floating-point format reads them
  /// For a matrix unit: d_in / 32 blocks for each tile of kMatrixTokens rows; null for forms that nothing reads.
  MatrixBlock* matrix[kMatrixForms] = {};
  bool many_read_pairs = true;  ///< whether pairs are read also where there are rows enough for the matrix unit
  /// In bfloat16: BFloat16Blocks(d_in) blocks for each tile of kMatrixTokens rows; null if nothing reads them. Then
  /// products of many rows read them in place of all others, but for `values` if many_read_values.
  uint16_t* bfloats = nullptr;
  bool many_read_values = true;

  bool HasMatrixFor(int64_t n_rows) const {
    return n_rows >= kMatrixFromRows && (matrix[0] != nullptr || matrix[1] != nullptr);
  }
  bool HasIntegersFor(int64_t n_rows) const { return pairs != nullptr && (many_read_pairs || !HasMatrixFor(n_rows)); }
};

RF_LANES_INLINE IntegerTile IntegersFrom(const PreparedRows& rows, int64_t first_row, int64_t first_col, int n_tokens) {
  const int64_t row_quads = rows.d_in / kBlock * kQuadsBytes;
  const int64_t first_quads = first_row * row_quads + first_col / kBlock * kQuadsBytes;
  return {rows.pairs + first_row * rows.d_in / 2 + first_col / 2 * n_tokens,
          rows.scales + (first_row * rows.d_in / kBlock + first_col / kBlock * n_tokens) * kBlockNumbers,
          rows.quads == nullptr ? nullptr : rows.quads + first_quads, row_quads};
}

/// The largest magnitude's bits; any NaN is larger than all numbers.
RF_LANES_INLINE uint32_t LargestBits(const float* x) {
  int32_t largest = 0;
  for (int i = 0; i < kBlock; ++i) {
    const auto bits = static_cast<int32_t>(FloatToBits(x[i]) & 0x7fffffffu);
    largest = bits > largest ? bits : largest;
  }
  return static_cast<uint32_t>(largest);
}

/// x * inverse, rounded to nearest even: adding 1.5 * 2^23 leaves the integer in the low bits.
RF_LANES_INLINE int32_t RoundToInt(float x) {
  constexpr float kMagic = 12582912.0f;
  return static_cast<int32_t>(FloatToBits(x + kMagic)) - 0x4b400000;
}

/// Quantizes 32 values.
inline BlockScales QuantizeBlock(const float* x, int32_t (&q)[kBlock]) {
  const float largest = BitsToFloat(LargestBits(x));
  const bool is_zero = largest < kSmallestMaximum;
  const bool is_finite = largest <= 3.4028235e38f;
  const float inverse = is_zero || !is_finite ? 0.0f : kLargestQuant / largest;
  for (int i = 0; i < kBlock; ++i) q[i] = is_finite ? RoundToInt(x[i] * inverse) : 0;
  int32_t first = 0;
  int32_t second = 0;
  for (int i = 0; i < kBlock / 2; ++i) first += q[i];
  for (int i = kBlock / 2; i < kBlock; ++i) second += q[i];
  const float scale = is_zero ? 0.0f : is_finite ? largest / kLargestQuant : BitsToFloat(0x7fc00000u);
  return {scale, scale * static_cast<float>(first + second), scale * static_cast<float>(first), -(first + second)};
}

/// Stores the quants and numbers of one token's block into its place in a tile of n_tokens.
inline void StoreBlock(const int32_t (&q)[kBlock], const BlockScales& numbers, int n_tokens, int32_t* pairs,
                       float* scales) {
  for (int j = 0; j < 4; ++j) {
    for (int i = 0; i < 4; ++i) {
      const int first = 4 * j + kPairFirst[i];
      const uint32_t pair = (static_cast<uint32_t>(q[first]) & 0xffffu) | static_cast<uint32_t>(q[first + 2]) << 16;
      pairs[(4 * j + i) * n_tokens] = static_cast<int32_t>(pair);
    }
  }
  scales[0] = numbers.scale;
  scales[n_tokens] = numbers.whole;
  __builtin_memcpy(scales + 2 * n_tokens, &numbers.negated, sizeof(numbers.negated));
  scales[3 * n_tokens] = numbers.first;
}

/// Prepares one row for integer formats: `token` of a tile of n_tokens that begins at first_row.
inline void PrepareIntegers(const float* x, const PreparedRows& rows, int64_t first_row, int token, int n_tokens) {
  const IntegerTile tile = IntegersFrom(rows, first_row, 0, n_tokens);
  auto* pairs = const_cast<int32_t*>(tile.pairs) + token;
  auto* scales = const_cast<float*>(tile.scales) + token;
  uint8_t* quads = rows.quads == nullptr ? nullptr : const_cast<uint8_t*>(tile.quads) + token * tile.row_quads;
  for (int64_t i = 0; i < rows.d_in; i += kBlock, pairs += kPairs * n_tokens, scales += kBlockNumbers * n_tokens) {
    int32_t q[kBlock];
    const BlockScales numbers = QuantizeBlock(x + i, q);
    StoreBlock(q, numbers, n_tokens, pairs, scales);
    if (quads != nullptr) StoreQuads(q, quads + i / kBlock * kQuadsBytes);
  }
}

/// The same for floating-point formats.
inline void PrepareValues(const float* x, const PreparedRows& rows, int64_t first_row, int token, int n_tokens) {
  float* values = rows.values + first_row * rows.d_in + token;
  for (int64_t i = 0; i < rows.d_in; ++i) values[i * n_tokens] = x[i];
}

/// Prepares one row for a matrix unit: `token` of tile number `tile`. x is null for the tokens that a run's last tile
/// lacks: they count as zero.
inline void PrepareMatrixRow(const float* x, const PreparedRows& rows, int64_t tile, int token) {
  const int64_t n_blocks = rows.d_in / kBlock;
  for (int64_t b = 0; b < n_blocks; ++b) {
    int32_t q[kBlock] = {};
    const BlockScales numbers = x == nullptr ? BlockScales{} : QuantizeBlock(x + b * kBlock, q);
    for (int form = 0; form < kMatrixForms; ++form) {
      if (rows.matrix[form] == nullptr) continue;
      PrepareMatrixBlock(q, numbers, static_cast<MatrixForm>(form), token, rows.matrix[form][tile * n_blocks + b]);
    }
  }
}

}  // namespace
}  // namespace rf::cpu
