// Activations as integers (ActivationRound in product.h), made by a kernel of their own or on the way by the kernel
// that makes the activations: that one leaves them in the workspace, and the product that is launched next finds them
// there.
#pragma once

#include "base/half.h"
#include "hip/kernels/product.h"

namespace rf::hip {

/// Bytes of the units of x.
size_t UnitBytes(const TensorView& x);
/// The units of x, in the workspace: those that the last launch left there, or new ones.
const ActivationRound* UnitsOf(void* native, const TensorView& x);
/// Where the kernel that makes y is to leave y's units; null: nowhere, as there are none or no room.
ActivationRound* PlaceForUnits(void* native, const TensorView& y);
/// To be called after the launch of that kernel.
void NoteUnits(void* native, const TensorView& y, const ActivationRound* units);

namespace {

inline constexpr int kLanesOfUnit = 8;            // lanes that make a unit, four columns each
inline constexpr float kLargestQuant = 32639.0f;  // 127 * 256 + 127
// Magnitudes below count as 0: their inverse would be infinite.
inline constexpr float kSmallestMagnitude = 1e-30f;

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

/// Columns column .. column + 3 of a row as quants. Eight neighbouring lanes make a unit of neighbouring columns; all
/// lanes of the wave must call it, those whose columns are not there too.
RF_DEVICE void MakeUnit(const Float4& x, ActivationRound* row, int column, bool is_there) {
  const float values[4] = {x.x, x.y, x.z, x.w};
  uint32_t bits = 0;
  RF_UNROLL
  for (int i = 0; i < 4; ++i) bits = MagnitudeBits(values[i]) > bits ? MagnitudeBits(values[i]) : bits;
  bits = LargestOfUnit(bits);
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

}  // namespace
}  // namespace rf::hip
