// The tile functions by format. Included by matmul.cc only: one copy of the code serves moe_matmul as well.
#pragma once

#include "cpu/kernels/matmul_tiles.h"

namespace rf::cpu {
namespace {

template <class Block, int kTokens>
constexpr void SetIntegerTiles(TileKernels& kernels) {
  kernels.direct[kTokens] = DirectTile<Block, kTokens>;
  kernels.unpacked[kTokens] = UnpackedTile<kTokens, Block::kScales, Block::kHasMinimum>;
  if constexpr (kTokens > 1) SetIntegerTiles<Block, kTokens - 1>(kernels);
}

template <class Block>
constexpr TileKernels IntegerKernels() {
  TileKernels kernels{Block::kLayout, {}, UnpackPanel<Block>, {}, {}};
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
  TileKernels kernels{{1, Columns::kBytes, 0, 0}, {}, nullptr, {}, {}};
  SetFloatTiles<Columns, kTileTokens>(kernels);
  return kernels;
}

template <class Block>
constexpr TileKernels kIntegerKernels = IntegerKernels<Block>();
template <class Columns>
constexpr TileKernels kFloatKernels = FloatKernels<Columns>();

}  // namespace

const TileKernels& RF_ISA::TileKernelsOf(Format format, WeightLayout layout) {
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

}  // namespace rf::cpu
