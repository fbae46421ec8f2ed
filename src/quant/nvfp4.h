// NVFP4: 64 weights in E2M1, an E4M3 scale for each 16. Layout: docs/quant/nvfp4.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/fp4.h"

namespace rf {

#pragma pack(push, 1)
struct BlockNVFP4 {
  static constexpr int kElements = 64;
  uint8_t d[4];    ///< scale of each 16 weights, E4M3 without its sign
  uint8_t qs[32];  ///< 8 bytes for each 16 weights: E2M1 code j in the low nibble of byte j, j + 8 in its high nibble
};
#pragma pack(pop)
static_assert(sizeof(BlockNVFP4) == 36);

/// Half the value of an E4M3 code (bias 7), the sign bit being ignored. The code for NaN, 0x7f, counts as 0, as it does
/// in ggml.
RF_SHARED_INLINE float E4M3ToHalvedFloat(uint8_t code) {
  const int exponent = code >> 3 & 0xf;
  const int mantissa = code & 7;
  if (code == 0x7f) return 0.0f;
  if (exponent == 0) return static_cast<float>(mantissa) * 0.0009765625f;  // 2^-10
  return BitsToFloat(static_cast<uint32_t>(exponent - 8 + 127) << 23 | static_cast<uint32_t>(mantissa) << 20);
}

/// w = d / 2 * kE2M1Doubled[code]
RF_SHARED_INLINE void Unpack(const BlockNVFP4& block, float* out) {
  for (int group = 0; group < 4; ++group) {
    const float d = E4M3ToHalvedFloat(block.d[group]);
    const uint8_t* qs = block.qs + group * 8;
    float* values = out + group * 16;
    for (int j = 0; j < 8; ++j) {
      values[j] = d * static_cast<float>(kE2M1Doubled[qs[j] & 0xf]);
      values[j + 8] = d * static_cast<float>(kE2M1Doubled[qs[j] >> 4]);
    }
  }
}

}  // namespace rf
