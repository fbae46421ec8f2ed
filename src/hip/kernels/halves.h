// Activations as halves, for matrix instructions.
//
// Units of 32 columns have an exponent each: x = half * 2^(exponent - 127 - kHalfBits), where the exponent is that of
// the unit's largest magnitude, biased as F32 has it, so that halves go up to 2^15. A product brings the units of a
// slice of a row to the slice's largest exponent, by a power of two: what is 2^-29 of the slice's largest or more keeps
// all its bits.
#pragma once

#include "base/half.h"
#include "hip/kernels/matrix_fragments.h"

namespace rf::hip {

inline constexpr int kHalfColumns = 32;  ///< of a unit
inline constexpr int kUnitsOfStretch = kStretch / kHalfColumns;
inline constexpr int kHalfBits = 14;  ///< a unit's largest magnitude is at least 2^14
/// Units below count as zeros: their magnitudes are below 2^-111.
inline constexpr uint32_t kSmallestExponent = 16;
inline constexpr uint32_t kNotFinite = 255;  ///< an exponent: something in the unit is infinite or no number

/// Rows of halves: whole stretches, zeros behind the last column.
struct HalfRows {
  uint16_t* values;    ///< [rows, columns]
  uint8_t* exponents;  ///< [rows, columns / kHalfColumns]
  int32_t columns;     ///< a multiple of kStretch
};

namespace {

#if defined(__HIPCC__) || defined(__CUDACC__)
#define RF_HOST_DEVICE __host__ __device__ inline
#define RF_HOST_DEVICE_MEMBER __host__ __device__
#else
#define RF_HOST_DEVICE inline
#define RF_HOST_DEVICE_MEMBER
#endif

RF_HOST_DEVICE constexpr int64_t StretchesOfColumns(int64_t n_cols) {
  return (n_cols + kStretch - 1) / kStretch;
}
RF_HOST_DEVICE int64_t HalfRowsBytes(int64_t n_rows, int64_t n_cols) {
  const int64_t columns = StretchesOfColumns(n_cols) * kStretch;
  return n_rows * (columns * 2 + columns / kHalfColumns);
}
RF_HOST_DEVICE HalfRows HalfRowsAt(void* place, int64_t n_rows, int64_t n_cols) {
  const auto columns = static_cast<int32_t>(StretchesOfColumns(n_cols) * kStretch);
  auto* values = static_cast<uint16_t*>(place);
  return {values, reinterpret_cast<uint8_t*>(values + n_rows * columns), columns};
}

/// 2^(exponent - 127), of an exponent 1 .. 254.
RF_DEVICE float PowerOfTwo(uint32_t exponent) {
  return BitsToFloat(exponent << 23);
}

/// A word with the same half twice.
RF_DEVICE int TwoHalves(int half) {
  return static_cast<int>(static_cast<uint32_t>(half & 0xffff) * 0x00010001u);
}

/// What a unit's halves are multiplied by to bring them to the slice's exponent, twice: a power of two, 0 where it is
/// too small for a half.
RF_DEVICE int UnitFactor(uint32_t of_slice, uint32_t of_unit) {
  const int exponent = 127 + static_cast<int>(of_unit) - static_cast<int>(of_slice);
  const float factor = PowerOfTwo(static_cast<uint32_t>(exponent > 1 ? exponent : 1));
  return PackHalves(factor, factor);
}
RF_DEVICE Int4 MulPiece(const Int4& piece, int factor) {
  return {MulHalves(piece.x, factor), MulHalves(piece.y, factor), MulHalves(piece.z, factor),
          MulHalves(piece.w, factor)};
}

/// What the sums of a slice are multiplied by; NaN if something in it is not finite.
RF_DEVICE float SliceScale(uint32_t exponent) {
  const uint32_t bits = exponent == 0 ? 0 : (exponent - kHalfBits) << 23;
  return BitsToFloat(exponent == kNotFinite ? 0x7fc00000u : bits);
}

RF_DEVICE uint32_t LargestByte(uint32_t word, uint32_t largest) {
  RF_UNROLL
  for (int i = 0; i < 4; ++i) {
    const uint32_t byte = word >> (8 * i) & 0xff;
    largest = byte > largest ? byte : largest;
  }
  return largest;
}

/// Products add their columns slice by slice: kSlices of them, of whole stretches; the same for any number of rows, so
/// that a row's result does not depend on the rows beside it. Narrow matrices have empty slices.
inline constexpr int kSlices = 8;

struct SliceStretches {
  int first;
  int end;
};
RF_DEVICE SliceStretches SliceAt(int n_stretches, int slice) {
  return {n_stretches * slice / kSlices, n_stretches * (slice + 1) / kSlices};
}

/// The exponents of a row's units, a word for each stretch.
RF_DEVICE const uint32_t* ExponentsOf(const HalfRows& x, int64_t row) {
  static_assert(kUnitsOfStretch == 4);
  return reinterpret_cast<const uint32_t*>(x.exponents + row * (x.columns / kHalfColumns));
}

/// The largest exponent of each step-th stretch of a slice of a row, from its first-th on.
RF_DEVICE uint32_t LargestExponent(const HalfRows& x, int64_t row, const SliceStretches& slice, int first, int step) {
  const uint32_t* words = ExponentsOf(x, row);
  uint32_t largest = 0;
  [[maybe_unused]] constexpr int kUnrolled = 4;
  RF_UNROLL_LOADS
  for (int stretch = slice.first + first; stretch < slice.end; stretch += step) {
    largest = LargestByte(words[stretch], largest);
  }
  return largest;
}

}  // namespace
}  // namespace rf::hip
