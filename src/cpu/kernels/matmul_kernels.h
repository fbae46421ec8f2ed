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

/// The kernels of a packed weight; null for formats without a panel layout, which are never packed.
constexpr const TileKernels* PackedKernelsOf(Format format) {
#define RF_PANEL_BLOCKS(Name, ...) \
  if (format == Format::k##Name) return &kIntegerKernels<Name##Block>;
#define RF_PANEL_COLUMNS(Name, type) \
  if (format == Format::k##Name) return &kFloatKernels<Name##Columns>;
#include "cpu/panels.def"
#undef RF_PANEL_BLOCKS
#undef RF_PANEL_COLUMNS
  return nullptr;
}

/// Whether kernels read records of the size that the packer writes.
constexpr bool IsLayoutOf(Format format, const PanelLayout& read) {
  const PanelLayout written = LayoutOf(format);
  return read.record_weights == written.record_weights && read.record_bytes == written.record_bytes;
}

#define RF_PANEL_BLOCKS(Name, ...) static_assert(IsLayoutOf(Format::k##Name, kIntegerKernels<Name##Block>.layout));
#define RF_PANEL_COLUMNS(Name, type) static_assert(IsLayoutOf(Format::k##Name, kFloatKernels<Name##Columns>.layout));
#include "cpu/panels.def"
#undef RF_PANEL_BLOCKS
#undef RF_PANEL_COLUMNS

}  // namespace

const TileKernels& RF_ISA::TileKernelsOf(Format format, WeightLayout layout) {
  return layout == kFileLayout ? kFloatKernels<F32Columns> : *PackedKernelsOf(format);
}

}  // namespace rf::cpu
