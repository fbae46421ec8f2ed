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
inline constexpr int kTallestWave = 64;

/// Lane 4 g + t has word t of rows g and g + 8; of 32 columns then word t + 4 of both.
template <int kK>
struct RowFragment {
  int words[kK / 8];
};
/// Lane 4 g + t has word t, of 32 columns also t + 4, of row g, then of row g + 8: an instruction wants its words in
/// neighbouring registers.
template <int kK>
struct ColumnFragment {
  int words[kK / 8];
};
struct MatrixSums {
  int values[kMatrixValues] = {};
};

/// Two or four matrices of eight rows of 16 bytes; lane i names row i % 8 of the i / 8-th.
RF_DEVICE void LoadMatrices(const int* row, int (&words)[2]) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
               : "=r"(words[0]), "=r"(words[1])
               : "r"(static_cast<uint32_t>(__cvta_generic_to_shared(row))));
}
RF_DEVICE void LoadMatrices(const int* row, int (&words)[4]) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(static_cast<uint32_t>(__cvta_generic_to_shared(row))));
}
template <int kK>
RF_DEVICE RowFragment<kK> LoadRows(const int* rows, int stride) {
  RowFragment<kK> fragment;
  LoadMatrices(rows + Lane() % 16 * stride + (kK == 32 ? Lane() / 16 * 4 : 0), fragment.words);
  return fragment;
}
template <int kK>
RF_DEVICE ColumnFragment<kK> LoadColumns(const int* rows, int stride) {
  ColumnFragment<kK> fragment;
  const int row = kK == 32 ? Lane() / 16 * 8 + Lane() % 8 : Lane() % 16;
  LoadMatrices(rows + row * stride + (kK == 32 ? Lane() / 8 % 2 * 4 : 0), fragment.words);
  return fragment;
}

/// Eight of B's rows: 16 x 8 products.
template <int kK>
RF_DEVICE void MultiplyHalf(int (&sums)[kMatrixValues], const RowFragment<kK>& a, const ColumnFragment<kK>& b,
                            int half) {
  int* d = sums + 4 * half;
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  if constexpr (kK == 16) {
    asm("mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
        : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
        : "r"(a.words[0]), "r"(a.words[1]), "r"(b.words[half]));
  } else {
    asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
        : "r"(a.words[0]), "r"(a.words[1]), "r"(a.words[2]), "r"(a.words[3]), "r"(b.words[2 * half]),
          "r"(b.words[2 * half + 1]));
  }
#endif
}

template <int kK>
RF_DEVICE MatrixSums MultiplyMatrices(const RowFragment<kK>& a, const ColumnFragment<kK>& b, MatrixSums sums) {
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
