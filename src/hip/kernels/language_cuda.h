// CUDA's spelling of gpu.h's language.
#pragma once

#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "hip/kernels/vectors.h"

#define RF_KERNEL __global__ void
#define RF_DEVICE [[maybe_unused]] static __device__ __forceinline__
#define RF_DEVICE_MEMBER __device__ __forceinline__
// Before a loop whose body indexes an array that must lie in registers.
#define RF_UNROLL _Pragma("unroll")
// Before a loop that is to run kUnrolled times at once, so that more loads are under way.
#define RF_UNROLL_LOADS _Pragma("unroll kUnrolled")
// On a kernel: blocks have at most so many threads, so that each may have more registers.
#define RF_LAUNCH_BOUNDS(n_threads) __launch_bounds__(n_threads)
// The same, and the compiler is not to save registers for the sake of more blocks: what it saves are loads under way.
#define RF_MANY_REGISTERS(n_threads) __launch_bounds__(n_threads, 1)
// The same, and the compiler is to leave room for a second block.
#define RF_TWO_BLOCKS(n_threads) __launch_bounds__(n_threads, 2)
// The same for n_blocks.
#define RF_BLOCKS(n_threads, n_blocks) __launch_bounds__(n_threads, n_blocks)

namespace rf::hip {
namespace {

inline constexpr unsigned kAllLanes = 0xffffffffu;
inline constexpr int kWaveLanes = 32;  ///< WaveSize() for attributes

RF_DEVICE constexpr int WaveSize() {
  return 32;
}
RF_DEVICE void BlockBarrier() {
  __syncthreads();
}
template <typename T>
RF_DEVICE T ShuffleXor(T value, int mask) {
  return __shfl_xor_sync(kAllLanes, value, mask);
}
template <typename T>
RF_DEVICE T Shuffle(T value, int lane) {
  return __shfl_sync(kAllLanes, value, lane);
}
/// A number that all lanes of a wave have in common, known to be so.
RF_DEVICE int OfWave(int value) {
  return value;
}
/// A number that all lanes have in common, as one that the compiler knows nothing of: it keeps no conditions on it from
/// one use to the next, which take registers.
RF_DEVICE int Afresh(int value) {
  return value;
}
/// Bit i: lane i's predicate.
RF_DEVICE uint64_t Ballot(bool predicate) {
  return __ballot_sync(kAllLanes, predicate);
}
/// How many bits are set.
RF_DEVICE int CountBits(uint64_t bits) {
  return __popcll(bits);
}
/// What rf::HalfToFloat says, by the hardware's own instruction.
RF_DEVICE float HalfBitsToFloat(uint16_t bits) {
  return __half2float(__ushort_as_half(bits));
}
/// Sixteen bytes as they were loaded: words that begin up to three bytes before them. They are put together when they
/// are needed, so that nothing waits for the load before.
struct LoadedSixteen {
  uint32_t words[4];
  uint32_t last;
  uint32_t shift;

  RF_DEVICE_MEMBER operator Int4() const {  // NOLINT(google-explicit-constructor): elsewhere it is an Int4
    return {static_cast<int32_t>(__funnelshift_r(words[0], words[1], shift)),
            static_cast<int32_t>(__funnelshift_r(words[1], words[2], shift)),
            static_cast<int32_t>(__funnelshift_r(words[2], words[3], shift)),
            static_cast<int32_t>(__funnelshift_r(words[3], last, shift))};
  }
};
/// Sixteen bytes from an even address.
RF_DEVICE LoadedSixteen LoadSixteen(const void* address) {
  // Four words and the last two bytes, none of them beyond the sixteen and the word in which they begin.
  const auto at = reinterpret_cast<uintptr_t>(address);
  const auto* words = reinterpret_cast<const uint32_t*>(at & ~uintptr_t{3});
  const uint32_t last = *reinterpret_cast<const uint16_t*>(at + 14);
  return {{words[0], words[1], words[2], words[3]}, last, static_cast<uint32_t>(at & 2) * 8};
}
/// Sixteen bytes from any address.
RF_DEVICE LoadedSixteen LoadSixteenAnywhere(const void* address) {
  const auto at = reinterpret_cast<uintptr_t>(address);
  const auto* words = reinterpret_cast<const uint32_t*>(at & ~uintptr_t{3});
  const auto* bytes = static_cast<const uint8_t*>(address);
  const auto shift = static_cast<uint32_t>(at & 3) * 8;
  const uint32_t last_three =
      bytes[13] | static_cast<uint32_t>(bytes[14]) << 8 | static_cast<uint32_t>(bytes[15]) << 16;
  return {{words[0], words[1], words[2], words[3]}, last_three >> (24 - shift), shift};
}
/// Two halves in a word, as elsewhere here. Each operation rounds once; subnormal numbers count.
RF_DEVICE int MulHalves(int a, int b) {
  int product;
  asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(product) : "r"(a), "r"(b));
  return product;
}
RF_DEVICE int AddHalves(int a, int b) {
  int sum;
  asm("add.rn.f16x2 %0, %1, %2;" : "=r"(sum) : "r"(a), "r"(b));
  return sum;
}
/// a * b + c.
RF_DEVICE int FmaHalves(int a, int b, int c) {
  int sum;
  asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(sum) : "r"(a), "r"(b), "r"(c));
  return sum;
}
/// Rounded to nearest even.
RF_DEVICE int PackHalves(float low, float high) {
  int halves;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(halves) : "f"(high), "f"(low));
  return halves;
}
/// Byte i is the byte of the eight in `low` and `high` that byte i of `selectors`, 0..7, names.
RF_DEVICE int PermuteBytes(int low, int high, int selectors) {
  // CUDA wants the selectors as nibbles.
  const int pairs = (selectors | selectors >> 4) & 0x00ff00ff;
  return static_cast<int>(
      __byte_perm(static_cast<uint32_t>(low), static_cast<uint32_t>(high), static_cast<uint32_t>(pairs | pairs >> 8)));
}
/// The compiler moves no load across: what it would fetch early for later rows takes registers that others need.
RF_DEVICE void KeepOrder() {
  asm volatile("" ::: "memory");
}
/// c + the dot product of four signed bytes.
RF_DEVICE int Dot4(int a, int b, int c) {
  return __dp4a(a, b, c);
}
/// The block's shared memory as a T. Its size is known to the compiler, which counts it; one kernel uses one T.
template <typename T>
RF_DEVICE T& Shared() {
  __shared__ __align__(16) unsigned char memory[sizeof(T)];
  return *reinterpret_cast<T*>(memory);
}

template <typename... Parameters, typename... Arguments>
void Launch(void* native, void (*kernel)(Parameters...), dim3 grid, int n_threads, size_t /*shared_bytes*/,
            Arguments... arguments) {
  auto& context = *static_cast<GpuContext*>(native);
  context.units = {};
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  cudaError_t error = cudaSetDevice(context.device);
  if (error == cudaSuccess) {
    kernel<<<grid, n_threads, 0, static_cast<cudaStream_t>(context.stream)>>>(arguments...);
    error = cudaGetLastError();
  }
  if (context.error == 0) context.error = static_cast<int32_t>(error);
}

}  // namespace
}  // namespace rf::hip
