// The magnitudes that a codebook's digits stand for in the IQ2 formats.
#pragma once

#include <cstdint>

#include "base/portable.h"
#include "quant/iq_grid.h"
#include "quant/iq_signs.h"

namespace rf {

RF_SHARED_TABLE int8_t kIq2Levels[3] = {8, 25, 43};

/// Eight weights: scale * level with the signs.
RF_SHARED_INLINE void UnpackIq2Point(float scale, uint16_t point, uint32_t signs, float* out) {
  for (int j = 0; j < 8; ++j) {
    out[j] = WithSign(scale * static_cast<float>(kIq2Levels[TernaryDigit(point, j)]), signs, j);
  }
}

/// The scale that a nibble means: d * (0.5 + nibble) / 4.
RF_SHARED_INLINE float Iq2Scale(float d, int nibble) {
  return d * (0.5f + static_cast<float>(nibble)) * 0.25f;
}

}  // namespace rf
