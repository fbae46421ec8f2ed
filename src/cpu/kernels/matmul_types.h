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
  void (*floating[kTileTokens + 1])(const uint8_t* panel, int64_t n_cols, const float* x, float* sums) = {};

  bool is_integer() const { return unpacked[1] != nullptr; }
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
using RF_ISA::FileRows;
using RF_ISA::IntegerTile;
using RF_ISA::kBlockNumbers;
using RF_ISA::TileKernels;
using RF_ISA::TileKernelsOf;
using RF_ISA::UnpackedPanel;

}  // namespace
}  // namespace rf::cpu
