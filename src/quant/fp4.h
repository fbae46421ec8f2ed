// E2M1, the 4-bit floating-point element of MXFP4 and NVFP4 (OCP MX v1.0): sign, two bits of exponent
// (bias 1), one of mantissa; no infinity, no NaN.
#pragma once

#include <cstdint>

#include "base/portable.h"

namespace rf {

/// Twice the value of each code, which is an integer: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and the same negative.
RF_SHARED_TABLE int8_t kE2M1Doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

}  // namespace rf
