// The sixteen values that a nibble of IQ4_NL and IQ4_XS stands for: unevenly spaced, denser near zero. Published with
// ggml; docs/quant/iq4_nl.md.
#pragma once

#include <cstdint>

#include "base/portable.h"

namespace rf {

RF_SHARED_TABLE int8_t kIq4NlValues[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

}  // namespace rf
