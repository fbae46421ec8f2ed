// Which lane holds which part of a matrix operand and of the sums, in each GPU family's matrix instructions on halves,
// as their manuals say: PTX ISA, mma.m16n8k16; RDNA3 and RDNA4 ISA, V_WMMA_F32_16X16X16_F16; CDNA2 and CDNA3 ISA,
// V_MFMA_F32_16X16X16_F16.
#pragma once

namespace rf::hip::emulation {

enum class MatrixLayout { kMmaSync, kGfx11, kGfx12, kGfx90a, kGfx942 };

/// The layout of waves of as many lanes as it has; the others have kMmaSync (32) or kGfx942 (64). For everything that
/// runs from now on.
void SetMatrixLayout(MatrixLayout layout);
/// Of the wave that runs now.
MatrixLayout CurrentMatrixLayout();

/// A half of an operand of 16 rows x 16 columns, or one of 16 x 16 sums.
struct MatrixPlace {
  int row;
  int column;
};

/// The halves of an operand of an instruction that a lane holds. Of mma.m16n8k16's B, of eight rows, two are put side
/// by side, so that it has as many as A.
inline int HalvesOfLane(MatrixLayout layout) {
  switch (layout) {
    case MatrixLayout::kMmaSync:
    case MatrixLayout::kGfx12: return 8;
    case MatrixLayout::kGfx11: return 16;
    case MatrixLayout::kGfx90a:
    case MatrixLayout::kGfx942: return 4;
  }
  return 0;
}

/// Where half i of a lane lies in A. In mma.m16n8k16's A, registers 0 and 2 are of row g, 1 and 3 of row g + 8.
inline MatrixPlace FirstOperandPlace(MatrixLayout layout, int lane, int i) {
  switch (layout) {
    case MatrixLayout::kMmaSync: return {lane / 4 + i / 2 % 2 * 8, lane % 4 * 2 + i % 2 + i / 4 * 8};
    case MatrixLayout::kGfx11: return {lane % 16, i};
    case MatrixLayout::kGfx12: return {lane % 16, lane / 16 * 8 + i};
    case MatrixLayout::kGfx90a:
    case MatrixLayout::kGfx942: return {lane % 16, lane / 16 * 4 + i};
  }
  return {};
}

/// Where half i of a lane lies in B, counted as B's rows: B is transposed. Of mma.m16n8k16's two Bs, the second has
/// halves 4 to 7.
inline MatrixPlace SecondOperandPlace(MatrixLayout layout, int lane, int i) {
  if (layout != MatrixLayout::kMmaSync) return FirstOperandPlace(layout, lane, i);
  return {lane / 4 + i / 4 * 8, lane % 4 * 2 + i % 2 + i / 2 % 2 * 8};
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
