// The codebooks of the IQ formats, expanded at compile time from bitmaps. Background: docs/quant/iq_grids.md.
#pragma once

#include <cstdint>

#include "base/portable.h"

namespace rf {

/// The points of a codebook in ascending order, each a 16-bit word: eight digits 0..2 of two bits, or four digits 0..7
/// of three bits, the first digit lowest.
template <int kPoints>
struct IqGrid {
  uint16_t points[kPoints];
};

RF_SHARED_INLINE constexpr int TernaryDigit(uint16_t point, int j) {
  return (point >> (2 * j)) & 3;
}

RF_SHARED_INLINE constexpr int OctalDigit(uint16_t point, int j) {
  return (point >> (3 * j)) & 7;
}

/// Bit n of the map: the point whose digits are those of n in base 3 (8 digits, the first least significant) belongs to
/// the codebook.
template <int kPoints>
RF_SHARED_INLINE constexpr IqGrid<kPoints> ExpandTernaryGrid(const uint32_t* map) {
  IqGrid<kPoints> grid{};
  int n_points = 0;
  uint32_t point = 0;
  for (int n = 0; n_points < kPoints; ++n) {
    if ((map[n / 32] >> (n % 32) & 1u) != 0) grid.points[n_points++] = static_cast<uint16_t>(point);
    ++point;
    for (int j = 0; (point >> (2 * j) & 3u) == 3; ++j) point += 1u << (2 * j);  // carries
  }
  return grid;
}

/// The same in base 8 with four digits, which are n's own bits.
template <int kPoints>
RF_SHARED_INLINE constexpr IqGrid<kPoints> ExpandOctalGrid(const uint32_t* map) {
  IqGrid<kPoints> grid{};
  int n_points = 0;
  for (int n = 0; n_points < kPoints; ++n) {
    if ((map[n / 32] >> (n % 32) & 1u) != 0) grid.points[n_points++] = static_cast<uint16_t>(n);
  }
  return grid;
}

}  // namespace rf
