// The plain element types. F32 holds F16, BF16, I8 and I16 exactly; F64, I32 and I64 are rounded to it. Layout:
// docs/quant/plain.md.
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"

namespace rf {

// Packed: a file's tensors may lie at any address.
#pragma pack(push, 1)
struct BlockF32 {
  static constexpr int kElements = 1;
  float value;
};
struct BlockF16 {
  static constexpr int kElements = 1;
  uint16_t bits;
};
struct BlockBF16 {
  static constexpr int kElements = 1;
  uint16_t bits;
};
struct BlockI8 {
  static constexpr int kElements = 1;
  int8_t value;
};
struct BlockI16 {
  static constexpr int kElements = 1;
  int16_t value;
};

struct BlockF64 {
  static constexpr int kElements = 1;
  double value;
};
struct BlockI32 {
  static constexpr int kElements = 1;
  int32_t value;
};
struct BlockI64 {
  static constexpr int kElements = 1;
  int64_t value;
};
#pragma pack(pop)

RF_SHARED_INLINE void Unpack(const BlockF32& element, float* out) {
  *out = element.value;
}
RF_SHARED_INLINE void Unpack(const BlockF16& element, float* out) {
  *out = HalfToFloat(element.bits);
}
RF_SHARED_INLINE void Unpack(const BlockBF16& element, float* out) {
  *out = Bf16ToFloat(element.bits);
}
RF_SHARED_INLINE void Unpack(const BlockI8& element, float* out) {
  *out = element.value;
}
RF_SHARED_INLINE void Unpack(const BlockI16& element, float* out) {
  *out = element.value;
}

/// To nearest even; beyond F32's range ±infinity, NaN stays NaN.
RF_SHARED_INLINE void Unpack(const BlockF64& element, float* out) {
  *out = static_cast<float>(element.value);
}
/// To nearest even where the integer needs more than 24 bits.
RF_SHARED_INLINE void Unpack(const BlockI32& element, float* out) {
  *out = static_cast<float>(element.value);
}
RF_SHARED_INLINE void Unpack(const BlockI64& element, float* out) {
  *out = static_cast<float>(element.value);
}

RF_SHARED_INLINE void Pack(const float* values, BlockF32* out) {
  out->value = *values;
}
RF_SHARED_INLINE void Pack(const float* values, BlockF16* out) {
  out->bits = FloatToHalf(*values);
}
RF_SHARED_INLINE void Pack(const float* values, BlockBF16* out) {
  out->bits = FloatToBf16(*values);
}

}  // namespace rf
