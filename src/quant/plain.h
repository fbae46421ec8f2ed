// The plain element types: F32, F16, BF16 and I8, I16 (which F32 holds exactly).
#pragma once

#include <cstdint>

#include "base/half.h"
#include "base/portable.h"

namespace rf {

struct ElementF32 {
  static constexpr int kElements = 1;
  float value;
};
struct ElementF16 {
  static constexpr int kElements = 1;
  uint16_t bits;
};
struct ElementBF16 {
  static constexpr int kElements = 1;
  uint16_t bits;
};
struct ElementI8 {
  static constexpr int kElements = 1;
  int8_t value;
};
struct ElementI16 {
  static constexpr int kElements = 1;
  int16_t value;
};

RF_SHARED_INLINE void Unpack(const ElementF32& element, float* out) {
  *out = element.value;
}
RF_SHARED_INLINE void Unpack(const ElementF16& element, float* out) {
  *out = HalfToFloat(element.bits);
}
RF_SHARED_INLINE void Unpack(const ElementBF16& element, float* out) {
  *out = Bf16ToFloat(element.bits);
}
RF_SHARED_INLINE void Unpack(const ElementI8& element, float* out) {
  *out = element.value;
}
RF_SHARED_INLINE void Unpack(const ElementI16& element, float* out) {
  *out = element.value;
}

RF_SHARED_INLINE void Pack(const float* values, ElementF32* out) {
  out->value = *values;
}
RF_SHARED_INLINE void Pack(const float* values, ElementF16* out) {
  out->bits = FloatToHalf(*values);
}
RF_SHARED_INLINE void Pack(const float* values, ElementBF16* out) {
  out->bits = FloatToBf16(*values);
}

}  // namespace rf
