// How fast an instruction set multiplies at most: the instruction that its matrix products are made of, from registers
// alone. For measurements (Device::QueueMatrixProducts).
#pragma once

#include <cstdint>

namespace rf::cpu {

/// Numbers that a call leaves, so that no compiler may leave the work out; aligned to 64 bytes.
inline constexpr int kPeakResults = 16;

/// Some ten microseconds' work of one core; returns its operations, two for a product.
using MultiplyForPeak = int64_t (*)(int32_t* results);

}  // namespace rf::cpu
