// HIP's spelling of gpu.h's language.
#pragma once

#include <hip/hip_runtime.h>

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
// The same, and the compiler is not to save registers for the sake of more blocks; here it does not.
#define RF_MANY_REGISTERS(n_threads) __launch_bounds__(n_threads)
// The same, and the compiler is to leave room for so many blocks; here it decides.
#define RF_BLOCKS_AT_ONCE(n_threads, n_blocks) __launch_bounds__(n_threads)

namespace rf::hip {
namespace {

// The host pass has no target: what it says here is used by no launch, which ask GpuTraits instead.
RF_DEVICE constexpr int WaveSize() {
#if defined(__GFX9__)
  return 64;
#else
  return 32;
#endif
}
#if defined(__GFX9__)
inline constexpr int kWaveLanes = 64;  ///< WaveSize() for attributes
#else
inline constexpr int kWaveLanes = 32;
#endif
RF_DEVICE void BlockBarrier() {
  __syncthreads();
}
template <typename T>
RF_DEVICE T ShuffleXor(T value, int mask) {
  return __shfl_xor(value, mask, WaveSize());
}
template <typename T>
RF_DEVICE T Shuffle(T value, int lane) {
  return __shfl(value, lane, WaveSize());
}
/// A number that all lanes of a wave have in common, known to be so.
RF_DEVICE int OfWave(int value) {
  return __builtin_amdgcn_readfirstlane(value);
}
/// A number that all lanes have in common, as one that the compiler knows nothing of: it keeps no conditions on it from
/// one use to the next, which take registers.
RF_DEVICE int Afresh(int value) {
#if defined(__HIP_DEVICE_COMPILE__)
  asm volatile("" : "+s"(value));
#endif
  return value;
}
/// Bit i: lane i's predicate.
RF_DEVICE uint64_t Ballot(bool predicate) {
  return __ballot(predicate);
}
/// How many bits are set.
RF_DEVICE int CountBits(uint64_t bits) {
  return __popcll(bits);
}
/// What rf::HalfToFloat says, by the hardware's own instruction.
RF_DEVICE float HalfBitsToFloat(uint16_t bits) {
  return static_cast<float>(__builtin_bit_cast(_Float16, bits));
}
using LoadedSixteen = Int4;
/// Sixteen bytes from an even address. The hardware loads them at once.
RF_DEVICE Int4 LoadSixteen(const void* address) {
  Int4 bytes;
  __builtin_memcpy(&bytes, __builtin_assume_aligned(address, 2), sizeof(bytes));
  return bytes;
}
/// Sixteen bytes from any address.
RF_DEVICE Int4 LoadSixteenAnywhere(const void* address) {
  Int4 bytes;
  __builtin_memcpy(&bytes, __builtin_assume_aligned(address, 1), sizeof(bytes));
  return bytes;
}
using HalfPair = _Float16 __attribute__((ext_vector_type(2)));
/// Two halves in a word, as elsewhere here. Each operation rounds once; subnormal numbers count.
RF_DEVICE int MulHalves(int a, int b) {
  return __builtin_bit_cast(int, __builtin_bit_cast(HalfPair, a) * __builtin_bit_cast(HalfPair, b));
}
RF_DEVICE int AddHalves(int a, int b) {
  return __builtin_bit_cast(int, __builtin_bit_cast(HalfPair, a) + __builtin_bit_cast(HalfPair, b));
}
/// a * b + c.
RF_DEVICE int FmaHalves(int a, int b, int c) {
  return __builtin_bit_cast(int,
                            __builtin_elementwise_fma(__builtin_bit_cast(HalfPair, a), __builtin_bit_cast(HalfPair, b),
                                                      __builtin_bit_cast(HalfPair, c)));
}
/// Rounded to nearest even.
RF_DEVICE int PackHalves(float low, float high) {
  const HalfPair halves = {static_cast<_Float16>(low), static_cast<_Float16>(high)};
  return __builtin_bit_cast(int, halves);
}
/// Byte i is the byte of the eight in `low` and `high` that byte i of `selectors`, 0..7, names.
RF_DEVICE int PermuteBytes(int low, int high, int selectors) {
  return static_cast<int>(
      __builtin_amdgcn_perm(static_cast<uint32_t>(high), static_cast<uint32_t>(low), static_cast<uint32_t>(selectors)));
}
/// The compiler moves no load across: what it would fetch early for later rows takes registers that others need.
RF_DEVICE void KeepOrder() {
#if defined(__HIP_DEVICE_COMPILE__)
  __builtin_amdgcn_sched_barrier(0);
#endif
}
// As language_cuda.h says; here a launch begins when the one before has ended.
RF_DEVICE void AwaitPrevious() {}
RF_DEVICE void AdmitNext() {}
/// All lanes of the wave have come here, and see what the others wrote to shared memory.
RF_DEVICE void WaveBarrier() {
  __builtin_amdgcn_fence(__ATOMIC_ACQ_REL, "wavefront");
  __builtin_amdgcn_wave_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQ_REL, "wavefront");
}
/// Copies from memory to shared memory, if `condition`; here they are done at once.
RF_DEVICE void CopySixteenIf(bool condition, void* to, const void* from) {
  if (condition) __builtin_memcpy(__builtin_assume_aligned(to, 16), __builtin_assume_aligned(from, 16), 16);
}
RF_DEVICE void CloseCopies() {}
template <int kGroups>
RF_DEVICE void WaitForCopies() {}
/// c + the dot product of four signed bytes.
RF_DEVICE int Dot4(int a, int b, int c) {
#if defined(__GFX11__) || defined(__GFX12__)
  return __builtin_amdgcn_sudot4(true, a, true, b, c, false);
#elif defined(__gfx9_generic__)  // gfx900 has no such instruction
  for (int i = 0; i < 32; i += 8) c += static_cast<int8_t>(a >> i) * static_cast<int8_t>(b >> i);
  return c;
#elif defined(__HIP_DEVICE_COMPILE__)
  return __builtin_amdgcn_sdot4(a, b, c, false);
#else
  return a + b + c;  // the host pass compiles it, nothing runs it
#endif
}
/// The block's shared memory as a T. Its size is known to the compiler, which counts it; one kernel uses one T.
template <typename T>
RF_DEVICE T& Shared() {
  __shared__ __attribute__((aligned(16))) unsigned char memory[sizeof(T)];
  return *reinterpret_cast<T*>(memory);
}

template <typename... Parameters, typename... Arguments>
void Launch(void* native, void (*kernel)(Parameters...), dim3 grid, int n_threads, size_t /*shared_bytes*/,
            Arguments... arguments) {
  auto& context = *static_cast<GpuContext*>(native);
  context.units = {};
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  hipError_t error = hipSetDevice(context.device);
  if (error == hipSuccess) {
    kernel<<<grid, n_threads, 0, static_cast<hipStream_t>(context.stream)>>>(arguments...);
    error = hipGetLastError();
  }
  if (context.error == 0) context.error = static_cast<int32_t>(error);
}

template <typename... Parameters, typename... Arguments>
void LaunchEarly(void* native, void (*kernel)(Parameters...), dim3 grid, int n_threads, size_t shared_bytes,
                 Arguments... arguments) {
  Launch(native, kernel, grid, n_threads, shared_bytes, arguments...);
}

}  // namespace
}  // namespace rf::hip
