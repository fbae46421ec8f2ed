// E8M0, the block scale of the OCP MX formats: a power of two, 2^(e - 127); OCP MX v1.0.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"

namespace rf {

/// 2^(e - 127) for e of 0..254; code 255 is NaN.
RF_SHARED_INLINE float E8M0ToFloat(uint8_t e) {
  if (e == 255) return BitsToFloat(0x7fc00000u);
  return e == 0 ? BitsToFloat(0x00400000u) : BitsToFloat(static_cast<uint32_t>(e) << 23);
}

/// Half of that, 2^(e - 128), as ggml uses it with doubled elements. It knows no NaN: 255 gives 2^127.
RF_SHARED_INLINE float E8M0ToHalvedFloat(uint8_t e) {
  return BitsToFloat(e < 2 ? 0x00200000u << e : static_cast<uint32_t>(e - 1) << 23);
}

/// floor(log2(x)) of a positive finite x; -127 for all subnormal ones.
RF_SHARED_INLINE int FloorLog2(float x) {
  return static_cast<int>(FloatToBits(x) >> 23 & 0xffu) - 127;
}

/// A biased exponent as E8M0 without NaN.
RF_SHARED_INLINE uint8_t ClampedE8M0(int biased) {
  return static_cast<uint8_t>(biased < 0 ? 0 : biased > 254 ? 254 : biased);
}

}  // namespace rf
