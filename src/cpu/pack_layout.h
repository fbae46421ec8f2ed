// The layouts in which the CPU stores the weights of matrix products: panels of 16 rows, so that one vector lane
// belongs to one output row and a kernel never sums across lanes. Plain constants, shared by the packer and the per-ISA
// kernels.
//
// A panel is a sequence of records, one after another along the row. All numbers of a record are planes of 16 rows:
//   integer formats: the scales of the record, then for each 32 weights ("block") the quants:
//     4-bit plane: 4 words x 16 rows x 32 bits. Byte t of a row's 16 bytes holds weight t in its low and weight t + 16
//     in
//       its high nibble, as Q4_0 does, so that (word >> 4i) & 0x000f000f is a pair of 16-bit integers;
//     1-bit plane (fifth bits): 1 word x 16 rows; 2-bit plane (fifth and sixth bits): 2 words x 16 rows; ordered by
//     pairs; 8-bit plane: 8 words x 16 rows; word j holds weights 4j .. 4j + 3, each + 128.
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

/// Formats with blocks of 32 weights: F16 scales (MXFP4: BF16, whose range the powers of two need), then F16 minimums
/// where there are any. K formats and IQ4_XS: F16 d, F16 dmin (only Q4_K and Q5_K), then for each block the 8-bit
/// scales (two planes for Q6_K), then the minimums.
RF_SHARED_INLINE constexpr PanelLayout LayoutOf(Format format) {
  switch (format) {
    case Format::kF32: return {1, kWordPlane, 0, 0};
    case Format::kF16:
    case Format::kBF16: return {1, kHalfPlane, 0, 0};
    case Format::kQ4_0:
    case Format::kIQ4_NL:
    case Format::kMXFP4: return IntegerLayout(1, kHalfPlane, 4);
    case Format::kQ4_1: return IntegerLayout(1, 2 * kHalfPlane, 4);
    case Format::kQ5_0: return IntegerLayout(1, kHalfPlane, 5);
    case Format::kQ5_1: return IntegerLayout(1, 2 * kHalfPlane, 5);
    case Format::kQ8_0: return IntegerLayout(1, kHalfPlane, 8);
    case Format::kQ4_K: return IntegerLayout(8, 2 * kHalfPlane + 16 * kBytePlane, 4);
    case Format::kQ5_K: return IntegerLayout(8, 2 * kHalfPlane + 16 * kBytePlane, 5);
    case Format::kQ6_K: return IntegerLayout(8, kHalfPlane + 16 * kBytePlane, 6);
    case Format::kIQ4_XS: return IntegerLayout(8, kHalfPlane + 8 * kBytePlane, 4);
    default: return {};
  }
}

RF_SHARED_INLINE constexpr int64_t PanelCount(int64_t n_rows) {
  return (n_rows + kPanelRows - 1) / kPanelRows;
}

/// Bytes of one panel of n_cols columns. REQUIRES: n_cols is a multiple of the record's weights.
RF_SHARED_INLINE constexpr int64_t PanelBytes(const PanelLayout& layout, int64_t n_cols) {
  return n_cols / layout.record_weights * layout.record_bytes;
}

}  // namespace rf::cpu
