// MXFP6_E2M3 and MXFP6_E3M2: 32 numbers of six bits with a power of two as scale (OCP MX v1.0). Layout:
// docs/quant/mxfp6.md.
#pragma once

#include <cstdint>

#include "base/portable.h"
#include "quant/e8m0.h"
#include "quant/pack_util.h"

namespace rf {

/// A six-bit element: sign, exponent, mantissa; no infinity, no NaN.
template <int kMantissaBitsOf, int kBiasOf>
struct Fp6 {
  static constexpr int kMantissaBits = kMantissaBitsOf;
  static constexpr int kBias = kBiasOf;
  static constexpr int kMaxExponent = (32 >> kMantissaBits) - 1 - kBias;  ///< of the largest number
  static constexpr int kSubnormalExponent = 1 - kBias - kMantissaBits;    ///< the smallest number is 2^ this
};

#pragma pack(push, 1)
template <class ElementType>
struct BlockMXFP6 {
  using Element = ElementType;
  static constexpr int kElements = 32;
  uint8_t e;       ///< E8M0 scale
  uint8_t qs[24];  ///< the codes, six bits each, lowest bits first
};
#pragma pack(pop)

using BlockMXFP6_E2M3 = BlockMXFP6<Fp6<3, 1>>;
using BlockMXFP6_E3M2 = BlockMXFP6<Fp6<2, 3>>;
static_assert(sizeof(BlockMXFP6_E2M3) == 25);
static_assert(sizeof(BlockMXFP6_E3M2) == 25);

/// 2^exponent. REQUIRES: -126 <= exponent <= 127.
RF_SHARED_INLINE float PowerOfTwo(int exponent) {
  return BitsToFloat(static_cast<uint32_t>(exponent + 127) << 23);
}

/// The value of a code; 0x20 is -0.
template <class Element>
RF_SHARED_INLINE float Fp6ToFloat(int code) {
  constexpr int kOne = 1 << Element::kMantissaBits;
  const int exponent = (code & 0x1f) >> Element::kMantissaBits;
  const int mantissa = code & (kOne - 1);
  const int units = exponent == 0 ? mantissa : (kOne | mantissa) << (exponent - 1);
  const float magnitude = static_cast<float>(units) * PowerOfTwo(Element::kSubnormalExponent);
  return (code & 0x20) != 0 ? -magnitude : magnitude;
}

/// Code j of the stream.
RF_SHARED_INLINE int LoadFp6(const uint8_t* qs, int j) {
  const uint8_t* three = qs + j / 4 * 3;
  const uint32_t word = three[0] | static_cast<uint32_t>(three[1]) << 8 | static_cast<uint32_t>(three[2]) << 16;
  return static_cast<int>(word >> (j % 4 * 6) & 0x3fu);
}

/// w = 2^(e - 127) * element; NaN for all 32 where e is 255. Exact: what lies below F32's normal range is subnormal.
template <class Element>
RF_SHARED_INLINE void Unpack(const BlockMXFP6<Element>& block, float* out) {
  const float d = E8M0ToFloat(block.e);
  for (int j = 0; j < 32; ++j) out[j] = d * Fp6ToFloat<Element>(LoadFp6(block.qs, j));
}

/// The code nearest to a finite value, ties to the even mantissa, the largest number for what lies beyond it.
template <class Element>
RF_SHARED_INLINE int NearestFp6(float value) {
  constexpr int kOne = 1 << Element::kMantissaBits;
  constexpr float kShift = 12582912.0f;  // 1.5 * 2^23: adding it leaves the integer, rounded to even, in the mantissa
  const int sign = (FloatToBits(value) >> 31) != 0 ? 0x20 : 0;
  const float magnitude = Magnitude(value);
  if (magnitude >= PowerOfTwo(Element::kMaxExponent + 1)) return sign | 0x1f;
  const int exponent = FloorLog2(magnitude);
  constexpr int kLowest = 1 - Element::kBias;
  const int binade = exponent < kLowest ? kLowest : exponent;
  const float scaled = magnitude * PowerOfTwo(Element::kMantissaBits - binade);
  const int units = static_cast<int>(FloatToBits(scaled + kShift) & 0x3fffffu);
  const int code = units + (binade - kLowest) * kOne;  // a carry into the exponent is the next binade's first code
  return sign | (code < 0x1f ? code : 0x1f);
}

/// e = floor(log2(max|x|)) - the exponent of the element's largest number, at least 0; elements to nearest even. A NaN
/// or an infinity in the block gives e = 255.
template <class Element>
RF_SHARED_INLINE void Pack(const float* values, BlockMXFP6<Element>* out) {
  bool is_finite = true;
  for (int j = 0; j < 32; ++j) is_finite = is_finite && (FloatToBits(values[j]) & 0x7f800000u) != 0x7f800000u;
  const float largest = LargestMagnitude(values, 32);
  out->e = largest > 0 ? ClampedE8M0(FloorLog2(largest) - Element::kMaxExponent + 127) : 0;
  for (int j = 0; j < 32; j += 4) {
    uint32_t word = 0;
    for (int k = 0; k < 4; ++k) {
      const float value = is_finite ? values[j + k] : 0.0f;
      // value / 2^(e - 127) in two steps, neither of which overflows; what is lost below F32's range rounds to 0
      // anyhow.
      const float half_way = value * PowerOfTwo(63 - out->e / 2);
      word |= static_cast<uint32_t>(NearestFp6<Element>(half_way * PowerOfTwo(64 - (out->e + 1) / 2))) << (6 * k);
    }
    for (int byte = 0; byte < 3; ++byte) out->qs[j / 4 * 3 + byte] = static_cast<uint8_t>(word >> (8 * byte));
  }
  if (!is_finite) out->e = 255;
}

}  // namespace rf
