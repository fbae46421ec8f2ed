// Elements of the plain floating-point formats, eight at a time.
#pragma once

#include "base/half.h"
#include "hip/kernels/gpu.h"
#include "quant/plain.h"

namespace rf::hip {
namespace {

RF_DEVICE float ElementOf(const BlockF32& element) {
  return element.value;
}
RF_DEVICE float ElementOf(const BlockF16& element) {
  return HalfBitsToFloat(element.bits);
}
RF_DEVICE float ElementOf(const BlockBF16& element) {
  return Bf16ToFloat(element.bits);
}

struct EightFloats {
  float values[8];
};

/// Eight elements at an address of 16 bytes, which a lane loads at once.
template <typename Block>
struct alignas(16) EightOf {
  Block elements[8];
};
template <typename Block>
RF_DEVICE EightFloats LoadEight(const Block* from) {
  const EightOf<Block> eight = *reinterpret_cast<const EightOf<Block>*>(from);
  EightFloats out;
  RF_UNROLL
  for (int i = 0; i < 8; ++i) out.values[i] = ElementOf(eight.elements[i]);
  return out;
}

/// The elements at any address of which there are `count`, and zeros.
template <typename Block>
RF_DEVICE EightFloats LoadUpToEight(const Block* from, int count) {
  EightFloats out;
  RF_UNROLL
  for (int i = 0; i < 8; ++i) out.values[i] = i < count ? ElementOf(from[i]) : 0.0f;
  return out;
}

}  // namespace
}  // namespace rf::hip
