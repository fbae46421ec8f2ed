// The layouts in which the CPU stores the weights of matrix products: panels of 16 rows, so that one vector lane
// belongs to one output row and a kernel never sums across lanes. Plain constants, shared by the packer and the per-ISA
// kernels.
//
// A panel is a sequence of records, one after another along the row. All numbers of a record are planes of 16 rows:
//   integer formats: the scales of the record, then for each 32 weights ("block") the quants:
//     4-bit plane: 4 words x 16 rows x 32 bits. Byte t of a row's 16 bytes holds weight t in its low and weight t + 16
//     in
//       its high nibble, as Q4_0 does, so that (word >> 4i) & 0x000f000f is a pair of 16-bit integers;
//     1-bit plane: 1 word x 16 rows, bit p of each 16-bit half belonging to pair p; 2-bit plane: 2 words x 16 rows,
//     bits 2p and 2p + 1 of word w belonging to pair 8w + p; five- and six-bit quants have their upper bits so, behind
//     the 4-bit plane, three-bit quants their third bits behind the 2-bit plane;
//     8-bit plane: 8 words x 16 rows; word j holds weights 4j .. 4j + 3, each + 128.
//   The pairs of a block, in the order in which kernels and packed activations go through them: pair 4j + i holds
//   weights
//     kPairFirst[i] + 4j and that + 2.
//   floating-point formats: for each column, 16 rows' values as they are.
// Rows beyond n_rows are zero. Experts' matrices follow one another.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/portable.h"
#include "ops/tensor.h"

namespace rf::cpu {

inline constexpr WeightLayout kPanelLayout = 1;

inline constexpr int kPanelRows = 16;
inline constexpr int kBlock = 32;  ///< weights along the row that share one scale of the activations
inline constexpr int kPairs = kBlock / 2;
inline constexpr int kPairFirst[4] = {0, 16, 1, 17};

/// Bytes of one plane of 16 rows.
inline constexpr int kHalfPlane = kPanelRows * 2;
inline constexpr int kBytePlane = kPanelRows;
inline constexpr int kWordPlane = kPanelRows * 4;

/// What a record holds. Offsets are in bytes from its start.
struct PanelLayout {
  int record_weights = 0;  ///< along the row; 0: the format has no panel layout
  int record_bytes = 0;
  int quants = 0;       ///< offset of the first block's quants
  int block_bytes = 0;  ///< from one block's quants to the next
};

RF_SHARED_INLINE constexpr PanelLayout IntegerLayout(int record_blocks, int scale_bytes, int words) {
  return {record_blocks * kBlock, scale_bytes + record_blocks * words * kWordPlane, scale_bytes, words * kWordPlane};
}

/// The layout of a format's records, from panels.def; record_weights is 0 for formats that are not named there.
RF_SHARED_INLINE constexpr PanelLayout LayoutOf(Format format) {
#define RF_PANEL_BLOCKS(Name, record_blocks, scale_bytes, words) \
  if (format == Format::k##Name) return IntegerLayout(record_blocks, scale_bytes, words);
#define RF_PANEL_COLUMNS(Name, type) \
  if (format == Format::k##Name) return {1, kPanelRows * static_cast<int>(sizeof(type)), 0, 0};
#include "cpu/panels.def"
#undef RF_PANEL_BLOCKS
#undef RF_PANEL_COLUMNS
  return {};
}

/// The layout in which the CPU's kernels of matrix products read weights of a format, where the shape allows it.
RF_SHARED_INLINE constexpr WeightLayout BestLayoutOf(Format format) {
  return LayoutOf(format).record_weights != 0 ? kPanelLayout : kFileLayout;
}

RF_SHARED_INLINE constexpr int64_t PanelCount(int64_t n_rows) {
  return (n_rows + kPanelRows - 1) / kPanelRows;
}

/// Bytes of one panel of n_cols columns. REQUIRES: n_cols is a multiple of the record's weights.
RF_SHARED_INLINE constexpr int64_t PanelBytes(const PanelLayout& layout, int64_t n_cols) {
  return n_cols / layout.record_weights * layout.record_bytes;
}

}  // namespace rf::cpu
