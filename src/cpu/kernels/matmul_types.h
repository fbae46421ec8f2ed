// What the matrix products' files of one instruction set share: the tile functions and their operands.
#pragma once

#include "cpu/kernels/matmul_lanes.h"
#include "cpu/kernels/register.h"
#include "cpu/pack_layout.h"

namespace rf::cpu::RF_ISA {

/// What each block of activations has for each token, beside its quants q: the scale dx; sx = dx * the sum of q; the
/// negated sum of q (an integer); and dx * the sum of the first sixteen q.
inline constexpr int kBlockNumbers = 4;

/// A tile's activations for integer formats. Pair p of block b of token t: pairs[(b * kPairs + p) * kTokens + t]; its
/// n-th number: scales[(b * kBlockNumbers + n) * kTokens + t].
struct IntegerTile {
  const int32_t* pairs;
  const float* scales;
  const uint8_t* quads;  ///< block b of token t: quads + t * row_quads + b * kQuadsBytes; null if nothing reads them
  int64_t row_quads;
};

/// The same for a matrix unit: how the two byte planes of a block's activations lie (matmul_matrix.h).
enum class MatrixForm { kWhole, kHalves };
inline constexpr int kMatrixForms = 2;

/// Rows of activations in a tile of a matrix unit.
inline constexpr int kMatrixTokens = 16;

/// A block of 32 columns of kMatrixTokens rows of activations, as a matrix unit reads it. An activation is 256 * upper
/// + lower, in bfloat16. kWhole: planes[0] has 256 * upper, planes[1] lower, in the order of the pairs. kHalves:
/// planes[s] has the block's even (s = 0) or odd pairs, which belong to the weights' scale s, of both.
struct alignas(64) MatrixBlock {
  uint16_t planes[2][kMatrixTokens][kBlock];
  float scales[kMatrixTokens];          ///< dx
  float scaled_sums[2][kMatrixTokens];  ///< dx * the sum of q that a scale of the weights belongs to
};

/// A stretch of a panel whose rows were read as bytes (matmul_codebooks.h).
struct CodedPanel {
  const uint8_t* bytes;
  const float* scales;
};

/// A stretch of a panel, unpacked once for many tiles. Pair p of block b: pairs + (b * kPairs + p) * 16 words; each of
/// the block's scales, with its minimum behind it where there is one, 16 floats each.
struct UnpackedPanel {
  int32_t* pairs;
  float* scales;
};

/// Rows of a weight in the file's layout: up to kPanelRows of them, from the same column on.
struct FileRows {
  const uint8_t* first;
  int64_t row_bytes;
  int n_rows;  ///< rows beyond count as zero
};

/// Memory for reading rows as bytes: 8 * kWordPlane bytes and two scales of 16 rows for each block.
struct CodedScratch {
  uint8_t* bytes;
  float* scales;
};

/// Tile functions of one format; arrays are indexed by the number of tokens in the tile. `sums` [tokens, 16] is added
/// to.
struct TileKernels {
  PanelLayout layout;
  void (*direct[kTileTokens + 1])(const uint8_t* panel, int64_t n_records, const IntegerTile& x, float* sums) = {};
  void (*unpack)(const uint8_t* panel, int64_t n_records, const UnpackedPanel& out) = nullptr;
  /// For integer kernels of the file's layout, in place of `direct` and `unpack`. `bytes`: 8 * kWordPlane for each
  /// block, which unpack_rows uses as scratch memory.
  void (*read_rows)(const FileRows& rows, int64_t n_blocks, uint8_t* bytes, float* scales) = nullptr;
  void (*coded)(const CodedPanel& panel, int64_t n_blocks, const IntegerTile& x, int n_tokens, float* sums) = nullptr;
  void (*unpack_rows)(const FileRows& rows, int64_t n_blocks, uint8_t* bytes, const UnpackedPanel& out) = nullptr;
  void (*unpacked[kTileTokens + 1])(const UnpackedPanel& panel, int64_t n_blocks, const IntegerTile& x,
                                    float* sums) = {};
  /// For many rows where there is a matrix unit, in place of the above: `pairs` has one plane of kPanelRows words for
  /// each pair, two in form kHalves; `matrix` multiplies kMatrixTokens rows.
  void (*unpack_for_matrix)(const uint8_t* panel, int64_t n_records, const UnpackedPanel& out) = nullptr;
  void (*unpack_rows_for_matrix)(const FileRows& rows, int64_t n_blocks, uint8_t* bytes,
                                 const UnpackedPanel& out) = nullptr;
  void (*matrix)(const UnpackedPanel& panel, int64_t n_blocks, const MatrixBlock* x, float* sums) = nullptr;
  MatrixForm matrix_form = MatrixForm::kWhole;
  /// For many rows in bfloat16 (matmul_bfloat16.h): pair p of block b, in the order of the pairs, is 16 words of
  /// `pairs`, (b * kPairs + p) * 16 on. Where a record's scale is kept apart the pairs are quants, and its 16 rows'
  /// scales follow those of the record before in out.scales, which is left alone otherwise.
  void (*unpack_to_bfloat16)(const uint8_t* panel, int64_t n_records, const UnpackedPanel& out) = nullptr;
  bool keeps_bfloat16_scales = false;
  void (*unpack_rows_to_bfloat16)(const FileRows& rows, int64_t n_blocks, const CodedScratch& scratch,
                                  int32_t* pairs) = nullptr;
  void (*floating[kTileTokens + 1])(const uint8_t* panel, int64_t n_cols, const float* x, float* sums) = {};

  bool is_integer() const { return unpacked[1] != nullptr; }
  constexpr bool has_bfloat16() const { return unpack_to_bfloat16 != nullptr || unpack_rows_to_bfloat16 != nullptr; }
  /// Blocks whose scale is kept apart in bfloat16; 0: none is.
  constexpr int64_t bfloat16_scale_blocks() const { return keeps_bfloat16_scales ? layout.record_weights / kBlock : 0; }
  bool reads_quads() const { return coded != nullptr; }
};

/// The kernels for a packed weight of `format`; of a weight in the file's layout, those of its codebook, or else those
/// for F32 columns, to which weights of any format are unpacked. REQUIRES: the format has the layout. Defined in
/// matmul.cc.
const TileKernels& TileKernelsOf(Format format, WeightLayout layout);

}  // namespace rf::cpu::RF_ISA

namespace rf::cpu {
namespace {

using RF_ISA::CodedPanel;
using RF_ISA::CodedScratch;
using RF_ISA::FileRows;
using RF_ISA::IntegerTile;
using RF_ISA::kBlockNumbers;
using RF_ISA::kMatrixForms;
using RF_ISA::kMatrixTokens;
using RF_ISA::MatrixBlock;
using RF_ISA::MatrixForm;
using RF_ISA::TileKernels;
using RF_ISA::TileKernelsOf;
using RF_ISA::UnpackedPanel;

/// What a block of activations has beside its quants q.
struct BlockScales {
  float scale;      ///< dx
  float whole;      ///< dx * the sum of q
  float first;      ///< dx * the sum of the first sixteen q
  int32_t negated;  ///< the negated sum of q
};

}  // namespace
}  // namespace rf::cpu
