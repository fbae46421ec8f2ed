// AMD's matrix instructions on halves: WMMA of gfx11 and gfx12, MFMA of gfx90a and gfx942, all of 16 x 16 x 16.
// matrix_fragments.h says what each function does. gfx10 has none: what is here for it is never run.
#pragma once

#include "hip/kernels/gpu.h"

namespace rf::hip {
namespace {

#if defined(__GFX11__) || defined(__GFX12__) || defined(__gfx90a__) || defined(__gfx942__)
inline constexpr bool kHasMatrixInstructions = true;
#else
inline constexpr bool kHasMatrixInstructions = false;
#endif
RF_DEVICE constexpr bool HasMatrixHere() {
  return kHasMatrixInstructions;
}

// The halves that a lane holds of row lane % 16 for an instruction: on gfx11 all sixteen, and lanes 16 to 31 repeat
// lanes 0 to 15; on gfx12 eight, on gfx9 four.
#if defined(__GFX11__)
inline constexpr int kLaneHalves = 16;
inline constexpr bool kIsTallWave = false;
#elif defined(__GFX12__)
inline constexpr int kLaneHalves = 8;
inline constexpr bool kIsTallWave = false;
#else
inline constexpr int kLaneHalves = 4;
inline constexpr bool kIsTallWave = true;
#endif

#if defined(__GFX9__)
inline constexpr int kMatrixValues = 4;
#else
inline constexpr int kMatrixValues = 8;
#endif

inline constexpr bool kHasNarrow = false;
inline constexpr bool kIsAlwaysNarrow = false;
inline constexpr bool kNeedsIntegers = !kHasMatrixInstructions;
inline constexpr int kMostRows = 1;
inline constexpr int kLaneRowStep = 8;  // there is no second row
inline constexpr int kMostPieces = kLaneHalves / 4;

RF_DEVICE constexpr int LaneParts() {
  return kMatrixSide / kLaneHalves;
}
RF_DEVICE int LanePart() {
  return LaneParts() == 1 ? 0 : Lane() / kMatrixSide;
}
/// How many lanes further the next part is.
RF_DEVICE constexpr int LanePartStride() {
  return kMatrixSide;
}
RF_DEVICE constexpr int LaneRows() {
  return kMostRows;
}
RF_DEVICE int LaneRow(int /*i*/) {
  return Lane() % kMatrixSide;
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

using SumVector = float __attribute__((ext_vector_type(kMatrixValues)));
using HalfVector = _Float16 __attribute__((ext_vector_type(kLaneHalves)));
using WordVector = int __attribute__((ext_vector_type(kLaneHalves / 2)));

/// c + the products of one instruction. Activations come first: then a lane's sums are of one output, and neighbouring
/// lanes write neighbouring ones.
RF_DEVICE SumVector MultiplyStep(WordVector x, WordVector w, SumVector c) {
  [[maybe_unused]] const auto a = __builtin_bit_cast(HalfVector, x);
  [[maybe_unused]] const auto b = __builtin_bit_cast(HalfVector, w);
#if defined(__GFX11__)
  return __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(a, b, c);
#elif defined(__GFX12__)
  return __builtin_amdgcn_wmma_f32_16x16x16_f16_w32_gfx12(a, b, c);
#elif defined(__gfx90a__) || defined(__gfx942__)
  return __builtin_amdgcn_mfma_f32_16x16x16f16(a, b, c, 0, 0, 0);
#else
  return c;  // nothing runs it
#endif
}

/// The words of the step-th of a product's two instructions.
RF_DEVICE WordVector WordsOfStep(const Int4 (&pieces)[kMostPieces], int step) {
#if defined(__GFX11__)
  const Int4& a = pieces[2 * step];
  const Int4& b = pieces[2 * step + 1];
  return WordVector{a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w};
#elif defined(__GFX12__)
  const Int4& a = pieces[step];
  return WordVector{a.x, a.y, a.z, a.w};
#else
  const Int4& a = pieces[0];
  return step == 0 ? WordVector{a.x, a.y} : WordVector{a.z, a.w};
#endif
}

template <bool kNarrow>
RF_DEVICE MatrixSums MultiplyHalves(const HalfFragment& w, const HalfFragment& x, MatrixSums sums) {
  SumVector c;
  RF_UNROLL
  for (int i = 0; i < kMatrixValues; ++i) c[i] = sums.values[i];
  RF_UNROLL
  for (int step = 0; step < 2; ++step) {
    c = MultiplyStep(WordsOfStep(x.pieces[0], step), WordsOfStep(w.pieces[0], step), c);
  }
  RF_UNROLL
  for (int i = 0; i < kMatrixValues; ++i) sums.values[i] = c[i];
  return sums;
}

RF_DEVICE constexpr int MatrixValuesOfLane() {
  return kMatrixValues;
}
RF_DEVICE constexpr int NarrowValuesOfLane() {
  return kMatrixValues;
}
RF_DEVICE int MatrixOutput(int /*i*/) {
  return Lane() % kMatrixSide;
}
RF_DEVICE int MatrixRow(int i) {
#if defined(__GFX11__)
  return 2 * i + Lane() / kMatrixSide;
#else
  return Lane() / kMatrixSide * kMatrixValues + i;
#endif
}
RF_DEVICE constexpr int LaneRowOfValue(int /*i*/) {
  return 0;
}
RF_DEVICE constexpr int PairedRow(int row) {
#if defined(__GFX11__)
  return row / 2 + row % 2 * 8;
#else
  return row;
#endif
}

}  // namespace
}  // namespace rf::hip
