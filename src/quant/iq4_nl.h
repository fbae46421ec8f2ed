// IQ4_NL: 32 weights, one scale, sixteen uneven levels. Layout: docs/quant/iq4_nl.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"
#include "quant/iq4_values.h"

namespace rf {

#pragma pack(push, 1)
struct BlockIQ4_NL {
  static constexpr int kElements = 32;
  uint16_t d;      ///< F16 scale
  uint8_t qs[16];  ///< code j in the low nibble of byte j, code j + 16 in its high nibble
};
#pragma pack(pop)
static_assert(sizeof(BlockIQ4_NL) == 18);

/// w = d * kIq4NlValues[code]
RF_SHARED_INLINE void Unpack(const BlockIQ4_NL& block, float* out) {
  const float d = HalfToFloat(block.d);
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>(kIq4NlValues[block.qs[j] & 0xf]);
    out[j + 16] = d * static_cast<float>(kIq4NlValues[block.qs[j] >> 4]);
  }
}

}  // namespace rf
