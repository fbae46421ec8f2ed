// e^x for whole vocabularies: plain arithmetic that compilers turn into vector instructions.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

namespace rf {

/// e^x for -87 <= x <= 0; that of -87 below, and for NaN. Without branches.
constexpr float ClampedExp(float x) {
  constexpr float kLog2E = 1.44269504f;
  // ln 2 in two parts (Cody and Waite 1980): the first has so few bits that n * kLn2High is exact.
  constexpr float kLn2High = 0.693359375f;
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number, in the low bits
  // Clamped as a whole number: the bits of negative floats grow with their magnitude, and NaN's are beyond all. A
  // comparison of floats may trap, which keeps compilers from using vectors.
  constexpr int32_t kSign = std::numeric_limits<int32_t>::min();
  const float clamped =
      std::bit_cast<float>(std::min(std::bit_cast<int32_t>(x) | kSign, std::bit_cast<int32_t>(-87.0f)));
  const float shifted = clamped * kLog2E + kRound;
  const float n = shifted - kRound;
  const float r = (clamped - n * kLn2High) - n * kLn2Low;  // |r| <= ln(2) / 2
  // Taylor's series; the first term that is left out is below 6e-9.
  const float series =
      1.0f +
      r * (1.0f +
           r * (1.0f / 2 + r * (1.0f / 6 + r * (1.0f / 24 + r * (1.0f / 120 + r * (1.0f / 720 + r * (1.0f / 5040)))))));
  const uint32_t exponent = (std::bit_cast<uint32_t>(shifted) + 127u) << 23;  // 2^n; kRound's own bits are shifted out
  return series * std::bit_cast<float>(exponent);
}

/// e^x for x <= 0, less e^-87 = 1.6e-38; so exactly 0 from -87 on, and for NaN. Relative error below 2e-7 for x > -70.
inline float FastExp(float x) {
  return ClampedExp(x) - ClampedExp(-87.0f);
}

}  // namespace rf
