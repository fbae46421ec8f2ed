// Which lane holds which part of a matrix operand and of the sums, in each GPU family's matrix instructions on signed
// bytes, as their manuals say: PTX ISA, mma.m16n8k16 and m16n8k32; RDNA3 and RDNA4 ISA, V_WMMA_I32_16X16X16_IU8; CDNA2
// and CDNA3 ISA, V_MFMA_I32_16X16X16_I8 and V_MFMA_I32_16X16X32_I8.
#pragma once

namespace rf::hip::emulation {

enum class MatrixLayout { kMmaSync, kGfx11, kGfx12, kGfx90a, kGfx942 };

/// The layout of waves of as many lanes as it has; the others have kMmaSync (32) or kGfx942 (64). For everything that
/// runs from now on.
void SetMatrixLayout(MatrixLayout layout);
/// Of the wave that runs now.
MatrixLayout CurrentMatrixLayout();

/// Four bytes of an operand of 16 rows, or one sum of 16 x 16. Words count four columns.
struct MatrixPlace {
  int row;
  int column;
};

inline constexpr int kNowhere = -1;  ///< as column: the lane holds zeros there

/// The words of an operand with n_columns, 16 or 32, that a lane holds.
inline int WordsOfLane(MatrixLayout layout, int n_columns) {
  switch (layout) {
    case MatrixLayout::kMmaSync: return n_columns / 8;
    case MatrixLayout::kGfx11: return n_columns / 4;
    case MatrixLayout::kGfx12: return n_columns / 8;
    case MatrixLayout::kGfx90a: return n_columns / 16;
    case MatrixLayout::kGfx942: return 2;
  }
  return 0;
}

/// Where word i of a lane lies.
inline MatrixPlace WordPlace(MatrixLayout layout, int lane, int i, int n_columns) {
  switch (layout) {
    case MatrixLayout::kMmaSync: return {lane / 4 + i % 2 * 8, i / 2 * 4 + lane % 4};
    case MatrixLayout::kGfx11: return {lane % 16, i};
    case MatrixLayout::kGfx12: return {lane % 16, i / 2 * 4 + lane / 16 * 2 + i % 2};
    case MatrixLayout::kGfx90a: return {lane % 16, i * 4 + lane / 16};
    case MatrixLayout::kGfx942: {
      const int word = lane / 16 * 2 + i;
      return {lane % 16, word < n_columns / 4 ? word : kNowhere};
    }
  }
  return {};
}

/// Where sum i of a lane lies: A's row, B's row.
inline MatrixPlace SumPlace(MatrixLayout layout, int lane, int i) {
  switch (layout) {
    case MatrixLayout::kMmaSync: return {lane / 4 + i / 2 % 2 * 8, lane % 4 * 2 + i % 2 + i / 4 * 8};
    case MatrixLayout::kGfx11: return {2 * i + lane / 16, lane % 16};
    case MatrixLayout::kGfx12: return {lane / 16 * 8 + i, lane % 16};
    case MatrixLayout::kGfx90a:
    case MatrixLayout::kGfx942: return {lane / 16 * 4 + i, lane % 16};
  }
  return {};
}

}  // namespace rf::hip::emulation
