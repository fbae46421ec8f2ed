// The language of the kernels: one spelling of what HIP, CUDA and the block emulator name differently. Kernels use
// one-dimensional blocks, get their shared memory as one struct from Shared<T>(), and reach other lanes only through
// the functions here, so that the emulator sees every exchange.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/portable.h"
#include "hip/gpu_api.h"
#include "hip/kernels/vectors.h"

#if defined(RF_GPU_EMULATED)
#include "hip/emulation/language.h"
#elif defined(__CUDACC__)
#include "hip/kernels/language_cuda.h"
#else
#include "hip/kernels/language_hip.h"
#endif

namespace rf::hip {
namespace {

/// Numbers at even addresses, where blocks of the file's layout hold them.
RF_DEVICE uint16_t LoadEven16(const void* address) {
  return *static_cast<const uint16_t*>(address);
}
RF_DEVICE uint32_t LoadEven32(const void* address) {
  const auto* halves = static_cast<const uint16_t*>(address);
  return halves[0] | static_cast<uint32_t>(halves[1]) << 16;
}

/// sum + the dot product, element after element.
RF_DEVICE float FusedDot(const Float4& a, const Float4& b, float sum) {
  return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sum))));
}
/// a * scale + b, element by element.
RF_DEVICE Float4 FusedScale(const Float4& a, float scale, const Float4& b) {
  return {fmaf(a.x, scale, b.x), fmaf(a.y, scale, b.y), fmaf(a.z, scale, b.z), fmaf(a.w, scale, b.w)};
}
RF_DEVICE Float4 operator*(const Float4& a, float scale) {
  return {a.x * scale, a.y * scale, a.z * scale, a.w * scale};
}

RF_DEVICE int Lane() {
  return static_cast<int>(threadIdx.x) & (WaveSize() - 1);
}
RF_DEVICE int WaveIndex() {
  return static_cast<int>(threadIdx.x) / WaveSize();
}
RF_DEVICE int WavesInBlock() {
  return static_cast<int>(blockDim.x) / WaveSize();
}

/// The sum over the wave's lanes, in every lane; the same order of additions in each, so the same bits. All lanes of
/// the wave must call it.
template <typename T>
RF_DEVICE T WaveSum(T value) {
  for (int mask = WaveSize() / 2; mask > 0; mask /= 2) value += ShuffleXor(value, mask);
  return value;
}

/// The largest of the wave's values, in every lane.
RF_DEVICE float WaveMax(float value) {
  for (int mask = WaveSize() / 2; mask > 0; mask /= 2) value = fmaxf(value, ShuffleXor(value, mask));
  return value;
}
RF_DEVICE uint64_t WaveMax(uint64_t value) {
  for (int mask = WaveSize() / 2; mask > 0; mask /= 2) {
    const uint64_t other = ShuffleXor(value, mask);
    value = other > value ? other : value;
  }
  return value;
}

/// Scratch of BlockSum: one number for each wave of the largest block.
template <typename T>
struct BlockSumScratch {
  T of_wave[32];
};

/// The sum over a block's threads, in every thread. All threads must call it; `scratch` lies in shared memory and may
/// be used again after the next BlockBarrier().
template <typename T>
RF_DEVICE T BlockSum(T value, BlockSumScratch<T>& scratch) {
  value = WaveSum(value);
  if (Lane() == 0) scratch.of_wave[WaveIndex()] = value;
  BlockBarrier();
  T sum = 0;
  for (int wave = 0; wave < WavesInBlock(); ++wave) sum += scratch.of_wave[wave];
  return sum;
}

inline int64_t CeilDivide(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace
}  // namespace rf::hip
