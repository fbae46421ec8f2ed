// What the matrix products' files of one instruction set share: the tile functions and their operands.
#pragma once

#include "cpu/kernels/matmul_lanes.h"
#include "cpu/kernels/register.h"
#include "cpu/pack_layout.h"

namespace rf::cpu::RF_ISA {

/// A tile's activations for integer formats. Pair p of block b of token t: pairs[(b * kPairs + p) * kTokens + t]; of
/// block b, scales[b * 3 * kTokens + t] is dx, the next kTokens are sx, and the next the negated sums of q (integers).
struct IntegerTile {
  const int32_t* pairs;
  const float* scales;
};

/// A stretch of a panel, unpacked once for many tiles. Pair p of block b: pairs + (b * kPairs + p) * 16 words; the
/// block's scales, then its minimum where there is one, 16 floats each.
struct UnpackedPanel {
  int32_t* pairs;
  float* scales;
};

/// Tile functions of one format; arrays are indexed by the number of tokens in the tile. `sums` [tokens, 16] is added
/// to.
struct TileKernels {
  PanelLayout layout;
  void (*direct[kTileTokens + 1])(const uint8_t* panel, int64_t n_records, const IntegerTile& x, float* sums) = {};
  void (*unpack)(const uint8_t* panel, int64_t n_records, const UnpackedPanel& out) = nullptr;
  void (*unpacked[kTileTokens + 1])(const UnpackedPanel& panel, int64_t n_blocks, const IntegerTile& x,
                                    float* sums) = {};
  void (*floating[kTileTokens + 1])(const uint8_t* panel, int64_t n_cols, const float* x, float* sums) = {};

  bool is_integer() const { return unpack != nullptr; }
};

/// The kernels for a packed weight of `format`, or those for F32 columns: what weights in the file's layout are
/// unpacked to, whatever their format. REQUIRES: the format has the layout. Defined in matmul.cc.
const TileKernels& TileKernelsOf(Format format, WeightLayout layout);

}  // namespace rf::cpu::RF_ISA

namespace rf::cpu {
namespace {

using RF_ISA::IntegerTile;
using RF_ISA::TileKernels;
using RF_ISA::TileKernelsOf;
using RF_ISA::UnpackedPanel;

}  // namespace
}  // namespace rf::cpu
