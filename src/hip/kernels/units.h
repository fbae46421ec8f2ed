// Activations as products with quantized weights read them: halves where the GPU has matrix instructions (halves.h),
// integers where it has none (ActivationRound in product.h). Both in units of 32 columns, made by a kernel of their own
// or on the way by the kernel that makes the activations: that one leaves them in the workspace, and the product that
// is launched next finds them there.
#pragma once

#include "base/half.h"
#include "hip/kernels/halves.h"
#include "hip/kernels/product.h"

namespace rf::hip {

/// Where the units of rows lie or are to lie; at null: nowhere.
struct UnitsPlace {
  void* at;
  int64_t n_rows;
  int64_t n_cols;
};

/// Bytes of the units of x, on any device.
size_t UnitBytes(const TensorView& x);
/// The units of x, in the workspace: those that the last launch left there, or new ones.
UnitsPlace UnitsOf(void* native, const TensorView& x);
/// Where the kernel that makes y is to leave y's units; nowhere if there are none or no room.
UnitsPlace PlaceForUnits(void* native, const TensorView& y);
/// The units of the job's x.
inline void SetUnits(ProductJob& job, const UnitsPlace& units) {
  job.units = static_cast<const ActivationRound*>(units.at);
  job.halves = HalfRowsAt(units.at, units.n_rows, units.n_cols);
}
/// To be called after the launch of that kernel.
void NoteUnits(void* native, const TensorView& y, const UnitsPlace& units);

namespace {

inline constexpr int kLanesOfUnit = 8;            // lanes that make a unit, four columns each
inline constexpr float kLargestQuant = 32639.0f;  // 127 * 256 + 127
// Magnitudes below count as 0: their inverse would be infinite.
inline constexpr float kSmallestMagnitude = 1e-30f;

static_assert(kHalfColumns == kUnit);

RF_DEVICE uint32_t MagnitudeBits(float x) {
  return FloatToBits(x) & 0x7fffffffu;
}

/// The largest over the lanes that make a unit.
RF_DEVICE uint32_t LargestOfUnit(uint32_t value) {
  for (int mask = 1; mask < kLanesOfUnit; mask *= 2) {
    const uint32_t other = ShuffleXor(value, mask);
    value = other > value ? other : value;
  }
  return value;
}

/// The bits of the unit's largest magnitude.
RF_DEVICE uint32_t LargestBits(const Float4& x) {
  const float values[4] = {x.x, x.y, x.z, x.w};
  uint32_t bits = 0;
  RF_UNROLL
  for (int i = 0; i < 4; ++i) bits = MagnitudeBits(values[i]) > bits ? MagnitudeBits(values[i]) : bits;
  return LargestOfUnit(bits);
}

/// A lane's share of a unit of halves.
RF_DEVICE void StoreHalves(const HalfRows& rows, int64_t row, int column, int first, int second, uint32_t exponent) {
  auto* words = reinterpret_cast<int32_t*>(rows.values + row * rows.columns + column);
  words[0] = first;
  words[1] = second;
  const int64_t unit = row * (rows.columns / kHalfColumns) + column / kHalfColumns;
  if (column % kHalfColumns == 0) rows.exponents[unit] = static_cast<uint8_t>(exponent);
}

RF_DEVICE void MakeHalfUnit(const Float4& x, const UnitsPlace& units, int64_t row, int column, bool is_there) {
  uint32_t exponent = LargestBits(x) >> 23;
  if (exponent < kSmallestExponent) exponent = 0;
  if (!is_there) return;
  const HalfRows rows = HalfRowsAt(units.at, units.n_rows, units.n_cols);
  const bool is_zero = exponent == 0 || exponent == kNotFinite;
  const float scale = is_zero ? 0.0f : PowerOfTwo(2 * 127 + kHalfBits - exponent);
  const int first = is_zero ? 0 : PackHalves(x.x * scale, x.y * scale);
  const int second = is_zero ? 0 : PackHalves(x.z * scale, x.w * scale);
  StoreHalves(rows, row, column, first, second, exponent);
  // Whoever has the last unit fills the stretch.
  const int in_unit = column % kHalfColumns;
  if (column - in_unit + kHalfColumns < units.n_cols) return;
  for (int pad = column + kHalfColumns; pad < rows.columns; pad += kHalfColumns) StoreHalves(rows, row, pad, 0, 0, 0);
}

RF_DEVICE void MakeIntegerUnit(const Float4& x, ActivationRound* row, int column, bool is_there) {
  const float values[4] = {x.x, x.y, x.z, x.w};
  const uint32_t bits = LargestBits(x);
  const bool is_finite = bits < 0x7f800000u;
  const float largest = BitsToFloat(bits);
  const bool is_zero = !is_finite || largest < kSmallestMagnitude;
  const float inverse = is_zero ? 0.0f : kLargestQuant / largest;

  uint32_t high_bytes = 0;
  uint32_t low_bytes = 0;
  int sum = 0;
  RF_UNROLL
  for (int i = 0; i < 4; ++i) {
    const int quant = is_zero ? 0 : static_cast<int>(rintf(values[i] * inverse));
    const int high = (quant + 128) >> 8;
    high_bytes |= static_cast<uint32_t>(high & 0xff) << (8 * i);
    low_bytes |= static_cast<uint32_t>((quant - 256 * high) & 0xff) << (8 * i);
    sum += quant;
  }
  for (int mask = 1; mask < kLanesOfUnit / 2; mask *= 2) sum += ShuffleXor(sum, mask);
  if (!is_there) return;
  // Which quants a lane made is as in memory: word 0 .. 3 of the unit's first sixteen bytes, then of the others.
  const int lane = column / 4 % kLanesOfUnit;
  ActivationRound& round = row[column / kRound];
  const int unit = column / kUnit % kRoundLanes;
  (&round.high[unit][0].x)[lane] = static_cast<int32_t>(high_bytes);
  (&round.low[unit][0].x)[lane] = static_cast<int32_t>(low_bytes);
  UnitScale& scale = round.scales[unit];
  if (lane % 4 == 0) scale.sums[lane / 4] = sum;
  if (lane == 0) scale.scale = is_finite ? (is_zero ? 0.0f : largest / kLargestQuant) : BitsToFloat(0x7fc00000u);
}

/// Columns column .. column + 3 of a row. Eight neighbouring lanes make a unit of neighbouring columns; all lanes of
/// the wave must call it, those whose columns are not there too.
RF_DEVICE void MakeUnit(const Float4& x, const UnitsPlace& units, int64_t row, int column, bool is_there) {
  if (HasMatrixHere()) {
    MakeHalfUnit(x, units, row, column, is_there);
  } else {
    auto* rounds = static_cast<ActivationRound*>(units.at);
    MakeIntegerUnit(x, rounds + row * RoundsOf(units.n_cols), column, is_there);
  }
}

}  // namespace
}  // namespace rf::hip
