// The table of tile functions by format: what the drivers of matmul and moe_matmul call.
#pragma once

#include "cpu/kernels/matmul_activations.h"

namespace rf::cpu {
namespace {

/// Tile functions of one format; arrays are indexed by the number of tokens in the tile.
struct TileKernels {
  PanelLayout layout;
  int unpacked_scales = 0;  ///< 16-float groups that a block has when unpacked; 0 for floating-point formats
  void (*direct[kTileTokens + 1])(const uint8_t* panel, int64_t n_records, const IntegerTile& x, float* sums) = {};
  void (*unpack)(const uint8_t* panel, int64_t n_records, const UnpackedPanel& out) = nullptr;
  void (*unpacked[kTileTokens + 1])(const UnpackedPanel& panel, int64_t n_blocks, const IntegerTile& x,
                                    float* sums) = {};
  void (*floating[kTileTokens + 1])(const uint8_t* panel, int64_t n_cols, const float* x, float* sums) = {};

  bool is_integer() const { return unpack != nullptr; }
};

template <class Block, int kTokens>
constexpr void SetIntegerTiles(TileKernels& kernels) {
  kernels.direct[kTokens] = DirectTile<Block, kTokens>;
  kernels.unpacked[kTokens] = UnpackedTile<kTokens, Block::kScales, Block::kHasMinimum>;
  if constexpr (kTokens > 1) SetIntegerTiles<Block, kTokens - 1>(kernels);
}

template <class Block>
constexpr TileKernels IntegerKernels() {
  TileKernels kernels{Block::kLayout, kUnpackedScales<Block>, {}, UnpackPanel<Block>, {}, {}};
  SetIntegerTiles<Block, kTileTokens>(kernels);
  return kernels;
}

template <class Columns, int kTokens>
constexpr void SetFloatTiles(TileKernels& kernels) {
  kernels.floating[kTokens] = FloatTile<Columns, kTokens>;
  if constexpr (kTokens > 1) SetFloatTiles<Columns, kTokens - 1>(kernels);
}

template <class Columns>
constexpr TileKernels FloatKernels() {
  TileKernels kernels{{1, Columns::kBytes, 0, 0}, 0, {}, nullptr, {}, {}};
  SetFloatTiles<Columns, kTileTokens>(kernels);
  return kernels;
}

template <class Block>
constexpr TileKernels kIntegerKernels = IntegerKernels<Block>();
template <class Columns>
constexpr TileKernels kFloatKernels = FloatKernels<Columns>();

/// The kernels for a packed weight of `format`, or those for F32 columns: what weights in the file's layout are
/// unpacked to.
inline const TileKernels& KernelsOf(Format format, WeightLayout layout) {
  if (layout == kFileLayout) return kFloatKernels<F32Columns>;
  switch (format) {
    case Format::kF16: return kFloatKernels<F16Columns>;
    case Format::kBF16: return kFloatKernels<BF16Columns>;
    case Format::kQ4_0: return kIntegerKernels<Q4_0Block>;
    case Format::kQ4_1: return kIntegerKernels<Q4_1Block>;
    case Format::kQ5_0: return kIntegerKernels<Q5_0Block>;
    case Format::kQ5_1: return kIntegerKernels<Q5_1Block>;
    case Format::kQ8_0: return kIntegerKernels<Q8_0Block>;
    case Format::kQ4_K: return kIntegerKernels<Q4_KBlock>;
    case Format::kQ5_K: return kIntegerKernels<Q5_KBlock>;
    case Format::kQ6_K: return kIntegerKernels<Q6_KBlock>;
    case Format::kIQ4_NL: return kIntegerKernels<IQ4_NLBlock>;
    case Format::kIQ4_XS: return kIntegerKernels<IQ4_XSBlock>;
    case Format::kMXFP4: return kIntegerKernels<MXFP4Block>;
    default: return kFloatKernels<F32Columns>;
  }
}

}  // namespace
}  // namespace rf::cpu
