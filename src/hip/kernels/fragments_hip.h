// AMD's matrix instructions on signed bytes: WMMA of gfx11 and gfx12, MFMA of gfx90a and gfx942. matrix_fragments.h
// says what each function does. gfx10 has none: what is here for it is never run.
#pragma once

#include "hip/kernels/gpu.h"

namespace rf::hip {
namespace {

#if defined(__GFX11__) || defined(__GFX12__) || defined(__gfx90a__) || defined(__gfx942__)
inline constexpr bool kHasMatrixInstructions = true;
#else
inline constexpr bool kHasMatrixInstructions = false;
#endif

// How a lane of this target holds a matrix of 16 rows x 16 columns, or x 32.
#if defined(__GFX11__)
// All of row lane % 16; lanes 16 to 31 repeat lanes 0 to 15.
inline constexpr int kWordsPerStep = 4;
#elif defined(__GFX12__)
// Of row lane % 16 eight columns, from column lane / 16 * 8 on.
inline constexpr int kWordsPerStep = 2;
#elif defined(__gfx942__)
// Of row lane % 16 eight columns of 32, from column lane / 16 * 8 on. Of 16 columns, lanes 32 to 63 hold zeros.
inline constexpr int kWordsPerStep = 2;
#else
// Of row lane % 16 four columns, from column lane / 16 * 4 on (gfx90a).
inline constexpr int kWordsPerStep = 1;
#endif

#if defined(__GFX9__)
inline constexpr int kMatrixValues = 4;
inline constexpr int kMaxWave = 64;
#else
inline constexpr int kMatrixValues = 8;
inline constexpr int kMaxWave = 32;
#endif

#if defined(__gfx942__)
inline constexpr int kStepColumns = 32;
#else
inline constexpr int kStepColumns = 16;
#endif
template <int kK>
inline constexpr int kMatrixSteps = kK <= kStepColumns ? 1 : kK / kStepColumns;

template <int kK>
struct MatrixFragment {
  int words[kMatrixSteps<kK> * kWordsPerStep];
};
inline constexpr int kTallestWave = 32;  // gfx11 would need more than its registers

struct MatrixSums {
  int values[kMatrixValues] = {};
};

template <int kK>
using RowFragment = MatrixFragment<kK>;
template <int kK>
using ColumnFragment = MatrixFragment<kK>;

template <int kK>
RF_DEVICE MatrixFragment<kK> LoadRows(const int* rows, int stride) {
#if defined(__GFX11__)
  const int first = 0;
#else
  const int first = Lane() / 16 * kWordsPerStep;
#endif
  const bool is_there = kK >= kStepColumns || first * 4 < kK;
  const int* from = rows + Lane() % 16 * stride + (is_there ? first : 0);
  MatrixFragment<kK> fragment;
  RF_UNROLL
  for (int step = 0; step < kMatrixSteps<kK>; ++step) {
    RF_UNROLL
    for (int i = 0; i < kWordsPerStep; ++i) {
      // What is not there is loaded too, from where something lies: a branch for each load would cost registers.
      const int word = from[step * kStepColumns / 4 + i];
      fragment.words[step * kWordsPerStep + i] = is_there ? word : 0;
    }
  }
  return fragment;
}

template <int kK>
RF_DEVICE MatrixFragment<kK> LoadColumns(const int* rows, int stride) {
  return LoadRows<kK>(rows, stride);
}

using SumVector = int __attribute__((ext_vector_type(kMatrixValues)));
#if defined(__GFX11__) || defined(__GFX12__) || defined(__gfx942__)
using WordVector = int __attribute__((ext_vector_type(kWordsPerStep)));
#endif

/// c + the products of one instruction.
RF_DEVICE SumVector MultiplyStep(const int* a, const int* b, SumVector c) {
#if defined(__GFX11__)
  const WordVector wa = {a[0], a[1], a[2], a[3]};
  const WordVector wb = {b[0], b[1], b[2], b[3]};
  return __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32(true, wa, true, wb, c, false);
#elif defined(__GFX12__)
  const WordVector wa = {a[0], a[1]};
  const WordVector wb = {b[0], b[1]};
  return __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32_gfx12(true, wa, true, wb, c, false);
#elif defined(__gfx942__)
  const WordVector wa = {a[0], a[1]};
  const WordVector wb = {b[0], b[1]};
  return __builtin_amdgcn_mfma_i32_16x16x32_i8(__builtin_bit_cast(long, wa), __builtin_bit_cast(long, wb), c, 0, 0, 0);
#elif defined(__gfx90a__)
  return __builtin_amdgcn_mfma_i32_16x16x16i8(a[0], b[0], c, 0, 0, 0);
#else
  return c + a[0] * b[0];  // nothing runs it
#endif
}

template <int kK>
RF_DEVICE MatrixSums MultiplyMatrices(const MatrixFragment<kK>& a, const MatrixFragment<kK>& b, MatrixSums sums) {
  SumVector c;
  RF_UNROLL
  for (int i = 0; i < kMatrixValues; ++i) c[i] = sums.values[i];
  RF_UNROLL
  for (int step = 0; step < kMatrixSteps<kK>; ++step) {
    c = MultiplyStep(a.words + step * kWordsPerStep, b.words + step * kWordsPerStep, c);
  }
  RF_UNROLL
  for (int i = 0; i < kMatrixValues; ++i) sums.values[i] = c[i];
  return sums;
}

RF_DEVICE constexpr int MatrixValuesOfLane() {
  return kMatrixValues;
}
RF_DEVICE int MatrixRow(int i) {
#if defined(__GFX11__)
  return 2 * i + Lane() / 16;
#else
  return Lane() / 16 * kMatrixValues + i;
#endif
}
RF_DEVICE int MatrixColumn(int /*i*/) {
  return Lane() % 16;
}

}  // namespace
}  // namespace rf::hip
