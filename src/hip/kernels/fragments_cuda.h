// CUDA's matrix instructions: mma.sync m16n8k16 and m16n8k32 of signed bytes (PTX ISA, "Matrix fragments for
// mma.m16n8k16 with integer type"), two side by side. matrix_fragments.h says what each function does.
#pragma once

#include "hip/kernels/gpu.h"

namespace rf::hip {
namespace {

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
inline constexpr bool kHasMatrixInstructions = true;
#else
inline constexpr bool kHasMatrixInstructions = false;
#endif

inline constexpr int kMatrixValues = 8;
inline constexpr int kMaxWave = 32;  ///< lanes

template <int kK>
struct MatrixFragment {
  int words[kK / 8];
};
struct MatrixSums {
  int values[kMatrixValues];
};

/// Lane 4 g + t has row g and row g + 8; of each, word t of every four.
template <int kK>
RF_DEVICE MatrixFragment<kK> LoadMatrix(const int* rows, int stride) {
  const int* from = rows + Lane() / 4 * stride + Lane() % 4;
  MatrixFragment<kK> fragment;
  RF_UNROLL
  for (int i = 0; i < kK / 16; ++i) {
    fragment.words[2 * i] = from[4 * i];
    fragment.words[2 * i + 1] = from[8 * stride + 4 * i];
  }
  return fragment;
}

/// Eight of B's rows: 16 x 8 products.
template <int kK>
RF_DEVICE void MultiplyHalf(int (&d)[kMatrixValues], const MatrixFragment<kK>& a, const MatrixFragment<kK>& b,
                            int half) {
  int* out = d + 4 * half;
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  if constexpr (kK == 16) {
    asm("mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%7,%7,%7,%7};"
        : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
        : "r"(a.words[0]), "r"(a.words[1]), "r"(b.words[half]), "r"(0));
  } else {
    asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%10,%10,%10,%10};"
        : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
        : "r"(a.words[0]), "r"(a.words[1]), "r"(a.words[2]), "r"(a.words[3]), "r"(b.words[half]),
          "r"(b.words[2 + half]), "r"(0));
  }
#endif
}

template <int kK>
RF_DEVICE MatrixSums MultiplyMatrices(const MatrixFragment<kK>& a, const MatrixFragment<kK>& b) {
  MatrixSums sums;
  MultiplyHalf<kK>(sums.values, a, b, 0);
  MultiplyHalf<kK>(sums.values, a, b, 1);
  return sums;
}

RF_DEVICE constexpr int MatrixValuesOfLane() {
  return kMatrixValues;
}
/// Values 0, 1: columns 2 t and 2 t + 1 of row g; 2, 3: of row g + 8; 4 to 7: the same eight columns further.
RF_DEVICE int MatrixRow(int i) {
  return Lane() / 4 + i / 2 % 2 * 8;
}
RF_DEVICE int MatrixColumn(int i) {
  return Lane() % 4 * 2 + i % 2 + i / 4 * 8;
}

}  // namespace
}  // namespace rf::hip
