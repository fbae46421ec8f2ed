// The emulator's matrix instructions: what the lanes hold is put together in the layout of a GPU family, multiplied,
// and dealt out again. kernels/matrix_fragments.h says what each function does.
#pragma once

#include "hip/emulation/matrix_layout.h"
#include "hip/kernels/gpu.h"

namespace rf::hip {
namespace {

inline constexpr bool kHasMatrixInstructions = true;
RF_DEVICE bool HasMatrixHere() {
  return emulation::HasMatrixInstructions();
}

inline constexpr int kMostRows = 2;
inline constexpr int kLaneRowStep = 8;
inline constexpr int kMostPieces = 4;
inline constexpr int kMatrixValues = 8;  // at most
inline constexpr bool kIsTallWave = true;
inline constexpr bool kHasNarrow = true;
inline constexpr bool kIsAlwaysNarrow = false;
inline constexpr bool kNeedsIntegers = true;

RF_DEVICE bool IsMmaSync() {
  return emulation::CurrentMatrixLayout() == emulation::MatrixLayout::kMmaSync;
}
RF_DEVICE int PiecesOfLane() {
  return IsMmaSync() ? 1 : emulation::HalvesOfLane(emulation::CurrentMatrixLayout()) / 4;
}
RF_DEVICE int LaneParts() {
  return 4 / PiecesOfLane();
}
RF_DEVICE int LanePart() {
  if (IsMmaSync()) return Lane() % 4;
  return LaneParts() == 1 ? 0 : Lane() / 16;
}
RF_DEVICE int LanePartStride() {
  return IsMmaSync() ? 1 : 16;
}
RF_DEVICE int LaneRows() {
  return IsMmaSync() ? 2 : 1;
}
RF_DEVICE int LaneRow(int i) {
  return IsMmaSync() ? Lane() / 4 + 8 * i : Lane() % 16;
}

struct HalfFragment {
  Int4 pieces[kMostRows][kMostPieces] = {};
};
struct MatrixSums {
  float values[kMatrixValues] = {};
};

/// A wave's operands of the two instructions of a product.
struct WholeOperands {
  float a[2][16][16];
  float b[2][16][16];
};
RF_DEVICE WholeOperands& OperandsOfWave() {
  constexpr int kMostWaves = 32;
  static WholeOperands operands[kMostWaves];
  return operands[WaveIndex()];
}

/// Half i of a lane's registers for an instruction, as MultiplyHalves() of a GPU puts them there.
RF_DEVICE float RegisterHalf(const HalfFragment& fragment, bool is_first_operand, int step, int i) {
  if (!IsMmaSync()) {
    const int at = step * emulation::HalvesOfLane(emulation::CurrentMatrixLayout()) + i;
    uint16_t halves[8];
    std::memcpy(halves, &fragment.pieces[0][at / 8], sizeof(halves));
    return HalfToFloat(halves[at % 8]);
  }
  // A's registers: first words of both rows, then second words. B's: both words of the first row, then of the second.
  const int row = is_first_operand ? i / 2 % 2 : i / 4;
  const int word = is_first_operand ? i / 4 : i / 2 % 2;
  uint16_t halves[8];
  std::memcpy(halves, &fragment.pieces[row][0], sizeof(halves));
  return HalfToFloat(halves[4 * step + 2 * word + i % 2]);
}

RF_DEVICE int MatrixValuesOfLane() {
  return 256 / WaveSize();
}
RF_DEVICE int NarrowValuesOfLane() {
  return IsMmaSync() ? kMatrixValues / 2 : MatrixValuesOfLane();
}
/// Weights are A for mma.sync, B for the others.
RF_DEVICE int MatrixOutput(int i) {
  const auto place = emulation::SumPlace(emulation::CurrentMatrixLayout(), Lane(), i);
  return IsMmaSync() ? place.row : place.column;
}
RF_DEVICE int MatrixRow(int i) {
  const auto place = emulation::SumPlace(emulation::CurrentMatrixLayout(), Lane(), i);
  return IsMmaSync() ? place.column : place.row;
}
RF_DEVICE int LaneRowOfValue(int i) {
  return IsMmaSync() ? i / 2 % 2 : 0;
}
RF_DEVICE int PairedRow(int row) {
  return emulation::CurrentMatrixLayout() == emulation::MatrixLayout::kGfx11 ? row / 2 + row % 2 * 8 : row;
}

template <bool kNarrow>
RF_DEVICE MatrixSums MultiplyHalves(const HalfFragment& w, const HalfFragment& x, MatrixSums sums) {
  const auto layout = emulation::CurrentMatrixLayout();
  WholeOperands& whole = OperandsOfWave();
  const HalfFragment& a = IsMmaSync() ? w : x;
  const HalfFragment& b = IsMmaSync() ? x : w;
  for (int step = 0; step < 2; ++step) {
    for (int i = 0; i < emulation::HalvesOfLane(layout); ++i) {
      const auto of_a = emulation::FirstOperandPlace(layout, Lane(), i);
      const auto of_b = emulation::SecondOperandPlace(layout, Lane(), i);
      whole.a[step][of_a.row][of_a.column] = RegisterHalf(a, true, step, i);
      whole.b[step][of_b.row][of_b.column] = RegisterHalf(b, false, step, i);
    }
  }
  emulation::Exchange(0);
  for (int i = 0; i < (kNarrow ? NarrowValuesOfLane() : MatrixValuesOfLane()); ++i) {
    const auto place = emulation::SumPlace(layout, Lane(), i);
    for (int step = 0; step < 2; ++step) {
      double sum = 0.0;
      for (int k = 0; k < 16; ++k) {
        sum += static_cast<double>(whole.a[step][place.row][k]) * static_cast<double>(whole.b[step][place.column][k]);
      }
      sums.values[i] = static_cast<float>(static_cast<double>(sums.values[i]) + sum);
    }
  }
  emulation::Exchange(0);  // nobody writes before all have read
  return sums;
}

}  // namespace
}  // namespace rf::hip
