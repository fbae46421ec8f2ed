// Blocks of any format, unpacked into shared memory.
#pragma once

#include "hip/kernels/gpu.h"

namespace rf::hip {
namespace {

/// kCount blocks of a format as F32 in shared memory. A thread unpacks a whole block: into shared memory, as an array
/// of its own would lie in the GPU's slow private memory. Blocks, and arrays of this struct, are an odd number of words
/// apart, so that threads which use the same element of neighbouring ones use different banks.
template <typename Block, int kCount>
struct UnpackedBlocks {
  static constexpr int kElements = Block::kElements;
  static constexpr int kStride = kElements | 1;
  float values[(kCount * kStride) | 1];

  RF_DEVICE_MEMBER void Load(int index, const Block& block) { Unpack(block, values + index * kStride); }
  RF_DEVICE_MEMBER void Clear(int index) {
    for (int i = 0; i < kElements; ++i) values[index * kStride + i] = 0.0f;
  }
  RF_DEVICE_MEMBER float At(int element) const { return values[element / kElements * kStride + element % kElements]; }
};

}  // namespace
}  // namespace rf::hip
