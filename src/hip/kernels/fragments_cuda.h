// CUDA's matrix instruction: mma.sync m16n8k16 of halves (PTX ISA, "Matrix fragments for mma.m16n8k16 with floating
// point type"), two side by side for sixteen rows of activations. matrix_fragments.h says what each function does.
#pragma once

#include "hip/kernels/gpu.h"

namespace rf::hip {
namespace {

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
inline constexpr bool kHasMatrixInstructions = true;
#else
inline constexpr bool kHasMatrixInstructions = false;
#endif
RF_DEVICE constexpr bool HasMatrixHere() {
  return kHasMatrixInstructions;
}

inline constexpr int kMostRows = 2;
inline constexpr int kLaneRowStep = 8;
inline constexpr int kMostPieces = 1;
inline constexpr int kMatrixValues = 8;
inline constexpr bool kIsTallWave = true;
inline constexpr bool kHasNarrow = true;
inline constexpr bool kIsAlwaysNarrow = true;
inline constexpr bool kNeedsIntegers = !kHasMatrixInstructions;

RF_DEVICE constexpr int LaneParts() {
  return 4;
}
RF_DEVICE int LanePart() {
  return Lane() % 4;
}
/// How many lanes further the next part is.
RF_DEVICE constexpr int LanePartStride() {
  return 1;
}
RF_DEVICE constexpr int LaneRows() {
  return kMostRows;
}
RF_DEVICE int LaneRow(int i) {
  return Lane() / 4 + 8 * i;
}
RF_DEVICE constexpr int PiecesOfLane() {
  return kMostPieces;
}

struct HalfFragment {
  Int4 pieces[kMostRows][kMostPieces];
};
struct MatrixSums {
  float values[kMatrixValues] = {};
};

/// Sixteen columns: words a of two rows of weights, words b of a row of activations.
RF_DEVICE void MultiplyStep(float* d, const int (&a)[4], int b0, int b1) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

template <bool kNarrow>
RF_DEVICE MatrixSums MultiplyHalves(const HalfFragment& w, const HalfFragment& x, MatrixSums sums) {
  const Int4& low = w.pieces[0][0];
  const Int4& high = w.pieces[1][0];
  RF_UNROLL
  for (int half = 0; half < (kNarrow ? 1 : 2); ++half) {
    const Int4& b = x.pieces[half][0];
    MultiplyStep(sums.values + 4 * half, {low.x, high.x, low.y, high.y}, b.x, b.y);
    MultiplyStep(sums.values + 4 * half, {low.z, high.z, low.w, high.w}, b.z, b.w);
  }
  return sums;
}

RF_DEVICE constexpr int MatrixValuesOfLane() {
  return kMatrixValues;
}
RF_DEVICE constexpr int NarrowValuesOfLane() {
  return kMatrixValues / 2;
}
/// Values 0, 1: of output g, rows 2 t and 2 t + 1; 2, 3: of output g + 8; 4 to 7: eight rows further.
RF_DEVICE int MatrixOutput(int i) {
  return Lane() / 4 + i / 2 % 2 * 8;
}
RF_DEVICE int MatrixRow(int i) {
  return Lane() % 4 * 2 + i % 2 + i / 4 * 8;
}
RF_DEVICE constexpr int LaneRowOfValue(int i) {
  return i / 2 % 2;
}
RF_DEVICE constexpr int PairedRow(int row) {
  return row;
}

}  // namespace
}  // namespace rf::hip
