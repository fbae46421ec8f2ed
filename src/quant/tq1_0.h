// TQ1_0: 256 ternary weights, five in a byte, one scale. Layout: docs/quant/tq1_0.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"

namespace rf {

#pragma pack(push, 1)
struct BlockTQ1_0 {
  static constexpr int kElements = 256;
  uint8_t qs[48];  ///< five digits each: bytes 0..31 hold weights 0..159, bytes 32..47 weights 160..239
  uint8_t qh[4];   ///< four digits each: weights 240..255
  uint16_t d;      ///< F16 scale
};
#pragma pack(pop)
static_assert(sizeof(BlockTQ1_0) == 54);

/// Digit n of a byte, 0..2. The byte is a fraction of 256 in base 3: digit n is the whole part of 3 times what is left
/// of it after n digits.
RF_SHARED_INLINE int TernaryDigitOfByte(uint8_t byte, int n) {
  uint32_t rest = byte;
  for (int i = 0; i < n; ++i) rest = rest * 3 & 0xffu;
  return static_cast<int>(rest * 3 >> 8);
}

/// n_digits digits of each of n_bytes bytes: digit n of byte j belongs to weight n * n_bytes + j. w = d * (digit - 1)
RF_SHARED_INLINE void UnpackTernaryBytes(const uint8_t* bytes, int n_bytes, int n_digits, float d, float* out) {
  for (int n = 0; n < n_digits; ++n) {
    for (int j = 0; j < n_bytes; ++j) {
      out[n * n_bytes + j] = d * static_cast<float>(TernaryDigitOfByte(bytes[j], n) - 1);
    }
  }
}

RF_SHARED_INLINE void Unpack(const BlockTQ1_0& block, float* out) {
  const float d = HalfToFloat(block.d);
  UnpackTernaryBytes(block.qs, 32, 5, d, out);
  UnpackTernaryBytes(block.qs + 32, 16, 5, d, out + 160);
  UnpackTernaryBytes(block.qh, 4, 4, d, out + 240);
}

}  // namespace rf
