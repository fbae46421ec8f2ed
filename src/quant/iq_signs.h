// The signs of eight weights in seven bits, as IQ2_XXS, IQ2_XS and IQ3_XXS store them.
#pragma once

#include <cstdint>

#include "base/portable.h"

namespace rf {

/// The eight sign bits, bit j for weight j (1: negative): the seven stored ones and an eighth that makes the number of
/// negative weights even.
RF_SHARED_INLINE constexpr uint32_t EvenSigns(uint32_t seven) {
  uint32_t parity = seven ^ seven >> 4;
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return seven | (parity & 1u) << 7;
}

/// The magnitude with weight j's sign.
RF_SHARED_INLINE float WithSign(float magnitude, uint32_t signs, int j) {
  return (signs >> j & 1u) != 0 ? -magnitude : magnitude;
}

}  // namespace rf
