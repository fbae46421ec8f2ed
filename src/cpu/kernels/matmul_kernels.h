// The tile functions by format. Included by matmul.cc only: one copy of the code serves moe_matmul as well.
#pragma once

#include "cpu/kernels/matmul_bfloat16_unpack.h"
#include "cpu/kernels/matmul_codebooks.h"
#include "cpu/kernels/matmul_matrix_unpack.h"
#include "cpu/kernels/matmul_tiles.h"

namespace rf::cpu {
namespace {

template <class Block, int kTokens>
constexpr void SetDirectTiles(TileKernels& kernels) {
  kernels.direct[kTokens] = DirectTile<Block, kTokens>;
  if constexpr (kTokens > 1) SetDirectTiles<Block, kTokens - 1>(kernels);
}

template <int kScales, bool kHasMinimum, int kTokens>
constexpr void SetUnpackedTiles(TileKernels& kernels) {
  kernels.unpacked[kTokens] = UnpackedTile<kTokens, kScales, kHasMinimum>;
  if constexpr (kTokens > 1) SetUnpackedTiles<kScales, kHasMinimum, kTokens - 1>(kernels);
}

template <class Block>
constexpr TileKernels IntegerKernels() {
  TileKernels kernels{};
  kernels.layout = Block::kLayout;
  kernels.unpack = UnpackPanel<Block>;
  SetDirectTiles<Block, kTileTokens>(kernels);
  SetUnpackedTiles<Block::kScales, Block::kHasMinimum, kTileTokens>(kernels);
  SetMatrix<Block>(kernels);
  SetBFloat16<Block>(kernels);
  return kernels;
}

template <class Rows>
constexpr TileKernels CodebookKernels() {
  TileKernels kernels{};
  kernels.read_rows = ReadCodedRows<Rows>;
  kernels.coded = CodedTile<Rows::kScales>;
  kernels.unpack_rows = UnpackCodedRows<Rows>;
  SetUnpackedTiles<Rows::kScales, false, kTileTokens>(kernels);
  SetCodebookMatrix<Rows>(kernels);
  SetCodebookBFloat16<Rows>(kernels);
  return kernels;
}

template <class Columns, int kTokens>
constexpr void SetFloatTiles(TileKernels& kernels) {
  kernels.floating[kTokens] = FloatTile<Columns, kTokens>;
  if constexpr (kTokens > 1) SetFloatTiles<Columns, kTokens - 1>(kernels);
}

template <class Columns>
constexpr TileKernels FloatKernels() {
  TileKernels kernels{};
  kernels.layout = {1, Columns::kBytes, 0, 0};
  SetFloatTiles<Columns, kTileTokens>(kernels);
  SetColumnsBFloat16<Columns>(kernels);
  return kernels;
}

template <class Block>
constexpr TileKernels kIntegerKernels = IntegerKernels<Block>();
template <class Columns>
constexpr TileKernels kFloatKernels = FloatKernels<Columns>();
template <class Rows>
constexpr TileKernels kCodebookKernels = CodebookKernels<Rows>();

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

/// The kernels of a weight in the file's layout.
constexpr const TileKernels* FileKernelsOf(Format format) {
#define RF_CODEBOOK(Name) \
  if (format == Format::k##Name) return &kCodebookKernels<Name##Rows>;
#include "cpu/codebook_formats.def"
#undef RF_CODEBOOK
  return &kFloatKernels<F32Columns>;
}

/// Products of many rows in bfloat16 leave the integers unprepared (PreparedRows::bfloats), for all weights of a
/// launch.
constexpr bool HasBFloat16IfUsed(const TileKernels& kernels) {
  return kBFloat16FromRows == INT64_MAX || kernels.has_bfloat16();
}

/// Whether kernels read records of the size that the packer writes.
constexpr bool IsLayoutOf(Format format, const PanelLayout& read) {
  const PanelLayout written = LayoutOf(format);
  return read.record_weights == written.record_weights && read.record_bytes == written.record_bytes;
}

#define RF_PANEL_BLOCKS(Name, ...)                                                 \
  static_assert(IsLayoutOf(Format::k##Name, kIntegerKernels<Name##Block>.layout)); \
  static_assert(HasBFloat16IfUsed(kIntegerKernels<Name##Block>));
#define RF_PANEL_COLUMNS(Name, type) static_assert(IsLayoutOf(Format::k##Name, kFloatKernels<Name##Columns>.layout));
#include "cpu/panels.def"
#undef RF_PANEL_BLOCKS
#undef RF_PANEL_COLUMNS
#define RF_CODEBOOK(Name) static_assert(HasBFloat16IfUsed(kCodebookKernels<Name##Rows>));
#include "cpu/codebook_formats.def"
#undef RF_CODEBOOK

}  // namespace

const TileKernels& RF_ISA::TileKernelsOf(Format format, WeightLayout layout) {
  return layout == kFileLayout ? *FileKernelsOf(format) : *PackedKernelsOf(format);
}

}  // namespace rf::cpu
