// The emulator's matrix instructions: a wave-wide exchange of what the lanes hold, in the layout of a GPU family.
// kernels/matrix_fragments.h says what each function does.
#pragma once

#include "hip/emulation/matrix_layout.h"
#include "hip/kernels/gpu.h"

namespace rf::hip {
namespace {

inline constexpr bool kHasMatrixInstructions = true;
inline constexpr int kMatrixValues = 8;  // at most
inline constexpr int kMaxWave = 64;      ///< lanes
inline constexpr int kTallestWave = 64;

template <int kK>
struct MatrixFragment {
  int words[kK / 4] = {};
};
struct MatrixSums {
  int values[kMatrixValues] = {};
};

template <int kK>
using RowFragment = MatrixFragment<kK>;
template <int kK>
using ColumnFragment = MatrixFragment<kK>;

template <int kK>
RF_DEVICE MatrixFragment<kK> LoadRows(const int* rows, int stride) {
  const auto layout = emulation::CurrentMatrixLayout();
  MatrixFragment<kK> fragment;
  for (int i = 0; i < emulation::WordsOfLane(layout, kK); ++i) {
    const emulation::MatrixPlace place = emulation::WordPlace(layout, Lane(), i, kK);
    fragment.words[i] = place.column == emulation::kNowhere ? 0 : rows[place.row * stride + place.column];
  }
  return fragment;
}

template <int kK>
RF_DEVICE MatrixFragment<kK> LoadColumns(const int* rows, int stride) {
  return LoadRows<kK>(rows, stride);
}

/// An operand as all lanes of the wave hold it.
template <int kK>
struct WholeMatrix {
  int words[16][kK / 4] = {};
};

template <int kK>
RF_DEVICE WholeMatrix<kK> Gather(const MatrixFragment<kK>& fragment) {
  const auto layout = emulation::CurrentMatrixLayout();
  WholeMatrix<kK> whole;
  for (int i = 0; i < emulation::WordsOfLane(layout, kK); ++i) {
    const uint64_t* shown = emulation::Exchange(ToWord(fragment.words[i]));
    for (int lane = 0; lane < WaveSize(); ++lane) {
      const emulation::MatrixPlace place = emulation::WordPlace(layout, lane, i, kK);
      if (place.column != emulation::kNowhere) whole.words[place.row][place.column] = FromWord<int>(shown[lane]);
    }
  }
  return whole;
}

RF_DEVICE int MatrixValuesOfLane() {
  return 256 / WaveSize();
}
RF_DEVICE int MatrixRow(int i) {
  return emulation::SumPlace(emulation::CurrentMatrixLayout(), Lane(), i).row;
}
RF_DEVICE int MatrixColumn(int i) {
  return emulation::SumPlace(emulation::CurrentMatrixLayout(), Lane(), i).column;
}

template <int kK>
RF_DEVICE MatrixSums MultiplyMatrices(const MatrixFragment<kK>& a, const MatrixFragment<kK>& b, MatrixSums sums) {
  const WholeMatrix<kK> whole_a = Gather<kK>(a);
  const WholeMatrix<kK> whole_b = Gather<kK>(b);
  for (int i = 0; i < MatrixValuesOfLane(); ++i) {
    const int row = MatrixRow(i);
    const int column = MatrixColumn(i);
    for (int w = 0; w < kK / 4; ++w) {
      sums.values[i] = Dot4(whole_a.words[row][w], whole_b.words[column][w], sums.values[i]);
    }
  }
  return sums;
}

}  // namespace
}  // namespace rf::hip
