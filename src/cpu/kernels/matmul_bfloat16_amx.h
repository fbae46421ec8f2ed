// Products in bfloat16 by AMX. Four tiles of sums, two of activations and two of weights: each tile that is loaded is
// used twice. See matmul_bfloat16.h and, for the unit, matmul_matrix_amx.h.
#pragma once

#include <immintrin.h>

#include "cpu/kernels/matmul_matrix_amx.h"

namespace rf::cpu {
namespace {

inline constexpr int64_t kBFloat16FromRows = 32;

// Sums of rows i and panel p are in tile 2 * i + p; activations in 4 and 5, weights in 6 and 7.
template <int kRowTiles, int kPanels>
void MultiplyBFloat16Tiles(const BFloat16Tiles& tiles) {
  float* sums = tiles.sums[0];
  float* other_sums = tiles.sums[1];
  asm volatile("" ::: "memory");  // GCC's tile loads do not say that they read memory
  if (tiles.is_first) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  } else {
    _tile_loadd(0, sums, kTileBytes);
    if constexpr (kPanels == 2) _tile_loadd(1, other_sums, kTileBytes);
    if constexpr (kRowTiles == 2) _tile_loadd(2, sums + kTileWords, kTileBytes);
    if constexpr (kRowTiles == 2 && kPanels == 2) _tile_loadd(3, other_sums + kTileWords, kTileBytes);
  }
  for (int64_t b = 0; b < tiles.n_blocks; ++b) {
    _tile_loadd(4, tiles.x[0] + b * kMatrixTokens * kBlock, kTileBytes);
    _tile_loadd(6, tiles.pairs[0] + b * kTileWords, kTileBytes);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (kPanels == 2) {
      _tile_loadd(7, tiles.pairs[1] + b * kTileWords, kTileBytes);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (kRowTiles == 2) {
      _tile_loadd(5, tiles.x[1] + b * kMatrixTokens * kBlock, kTileBytes);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (kPanels == 2) _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, sums, kTileBytes);
  if constexpr (kPanels == 2) _tile_stored(1, other_sums, kTileBytes);
  if constexpr (kRowTiles == 2) _tile_stored(2, sums + kTileWords, kTileBytes);
  if constexpr (kRowTiles == 2 && kPanels == 2) _tile_stored(3, other_sums + kTileWords, kTileBytes);
  asm volatile("" ::: "memory");
}

inline void MultiplyBFloat16Blocks(const BFloat16Tiles& tiles, int n_row_tiles, int n_panels) {
  if (n_row_tiles == 2 && n_panels == 2) return MultiplyBFloat16Tiles<2, 2>(tiles);
  if (n_row_tiles == 2) return MultiplyBFloat16Tiles<2, 1>(tiles);
  if (n_panels == 2) return MultiplyBFloat16Tiles<1, 2>(tiles);
  MultiplyBFloat16Tiles<1, 1>(tiles);
}

/// sums[row, output] = scale[output] * products[row, output], or that added to it.
inline void AddScaledTiles(const float* products, Floats scale, bool is_first, int n_row_tiles, float* sums) {
  for (int i = 0; i < n_row_tiles * kMatrixTokens * kPanelRows; i += kPanelRows) {
    const Floats sum = is_first ? ZeroFloats() : LoadFloats(sums + i);
    StoreFloats(sums + i, MultiplyAdd(LoadFloats(products + i), scale, sum));
  }
}

/// Where each scale_blocks blocks have a scale of their own.
inline void MultiplyScaledBFloat16(const BFloat16Tiles& tiles, int n_row_tiles, int n_panels) {
  alignas(64) float products[2][2 * kMatrixTokens * kPanelRows];
  for (int64_t b = 0; b < tiles.n_blocks; b += tiles.scale_blocks) {
    BFloat16Tiles record{};
    for (int i = 0; i < 2; ++i) {
      record.x[i] = tiles.x[i] + b * kMatrixTokens * kBlock;
      record.pairs[i] = tiles.pairs[i] + b * kTileWords;
      record.sums[i] = products[i];
    }
    record.n_blocks = tiles.scale_blocks;
    record.is_first = true;
    MultiplyBFloat16Blocks(record, n_row_tiles, n_panels);
    for (int p = 0; p < n_panels; ++p) {
      const Floats scale = LoadFloats(tiles.scales[p] + b / tiles.scale_blocks * kPanelRows);
      AddScaledTiles(products[p], scale, tiles.is_first && b == 0, n_row_tiles, tiles.sums[p]);
    }
  }
}

inline void MultiplyBFloat16(const BFloat16Tiles& tiles, int n_row_tiles, int n_panels) {
  if (tiles.scale_blocks != 0) return MultiplyScaledBFloat16(tiles, n_row_tiles, n_panels);
  MultiplyBFloat16Blocks(tiles, n_row_tiles, n_panels);
}

/// For each number of a block in the order of the pairs its place in the row.
struct alignas(64) PairOrder {
  uint16_t words[kBlock];
  constexpr PairOrder() : words{} {
    for (int pair = 0; pair < kPairs; ++pair) {
      const int first = pair / 4 * 4 + kPairFirst[pair % 4];
      words[2 * pair] = static_cast<uint16_t>(first);
      words[2 * pair + 1] = static_cast<uint16_t>(first + 2);
    }
  }
};
inline constexpr PairOrder kPairOrder;

/// Two vectors of F32, rounded to even, as bfloat16: the first one's in the lower half.
RF_LANES_INLINE Ints ToBFloat16(Floats first, Floats second) {
  return reinterpret_cast<Ints>(_mm512_cvtne2ps_pbh(second, first));
}

RF_LANES_INLINE Floats LoadSomeFloats(const float* p, int64_t n) {
  const auto mask = static_cast<__mmask16>(n >= kPanelRows ? 0xffff : n <= 0 ? 0 : (1 << n) - 1);
  return _mm512_maskz_loadu_ps(mask, p);
}

/// Stores one row: `token` of tile number `tile`. x is null for the tokens that a run's last tile lacks: they count as
/// zero.
inline void PrepareBFloat16Row(const float* x, const PreparedRows& rows, int64_t tile, int token) {
  const int64_t n_blocks = BFloat16Blocks(rows.d_in);
  uint16_t* out = rows.bfloats + (tile * n_blocks * kMatrixTokens + token) * kBlock;
  const Ints order = LoadInts(kPairOrder.words);
  for (int64_t b = 0; b < n_blocks; ++b, out += kMatrixTokens * kBlock) {
    if (x == nullptr) {
      StoreInts(out, ZeroInts());
      continue;
    }
    const float* from = x + b * kBlock;
    const int64_t left = rows.d_in - b * kBlock;
    const Floats first = LoadSomeFloats(from, left);
    const Floats second = LoadSomeFloats(from + kPanelRows, left - kPanelRows);
    StoreInts(out, _mm512_permutexvar_epi16(order, ToBFloat16(first, second)));
  }
}

}  // namespace
}  // namespace rf::cpu
