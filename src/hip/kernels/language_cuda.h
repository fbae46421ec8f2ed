// CUDA's spelling of gpu.h's language.
#pragma once

#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <cstring>

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
// The same, and the compiler is to leave room for so many blocks.
#define RF_BLOCKS_AT_ONCE(n_threads, n_blocks) __launch_bounds__(n_threads, n_blocks)

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
/// What the launches before have written is there from here on. A kernel that was launched by LaunchEarly() must call
/// it in all threads, and before it looks at anything but weights.
RF_DEVICE void AwaitPrevious() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
/// The next launch may begin, as far as there is room for it.
RF_DEVICE void AdmitNext() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}
/// All lanes of the wave have come here, and see what the others wrote to shared memory.
RF_DEVICE void WaveBarrier() {
  __syncwarp();
}
/// Copies from memory to shared memory, aligned to their size, which the GPU does by itself; if `condition`.
RF_DEVICE void CopySixteenIf(bool condition, void* to, const void* from) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  asm volatile(
      "{\n"
      ".reg .pred p;\n"
      "setp.ne.b32 p, %2, 0;\n"
      "@p cp.async.cg.shared.global [%0], [%1], 16;\n"
      "}"
      :
      : "r"(static_cast<uint32_t>(__cvta_generic_to_shared(to))), "l"(from), "r"(static_cast<int>(condition))
      : "memory");
#endif
}
/// The lane's copies since the last call are a group, perhaps an empty one.
RF_DEVICE void CloseCopies() {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
/// Waits until all of the lane's groups but the last kGroups are there; the others' are after a barrier.
template <int kGroups>
RF_DEVICE void WaitForCopies() {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" : : "n"(kGroups) : "memory");
#endif
}
/// c + the dot product of four signed bytes.
RF_DEVICE int Dot4(int a, int b, int c) {
  return __dp4a(a, b, c);
}
/// What a block may have without asking for it.
inline constexpr size_t kPlainSharedBytes = 48 << 10;
/// The block's shared memory as a T. Its size is known to the compiler, which counts it, or is the launch's; one kernel
/// uses one T.
template <typename T>
RF_DEVICE T& Shared() {
  if constexpr (sizeof(T) > kPlainSharedBytes) {
    extern __shared__ __align__(16) unsigned char asked_for[];
    return *reinterpret_cast<T*>(asked_for);
  } else {
    __shared__ __align__(16) unsigned char memory[sizeof(T)];
    return *reinterpret_cast<T*>(memory);
  }
}

/// early: LaunchEarly().
template <typename... Parameters, typename... Arguments>
void LaunchWhen(bool early, void* native, void (*kernel)(Parameters...), dim3 grid, int n_threads, size_t shared_bytes,
                Arguments... arguments) {
  auto& context = *static_cast<GpuContext*>(native);
  context.units = {};
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  cudaError_t error = cudaSetDevice(context.device);
  const size_t asked_for = shared_bytes > kPlainSharedBytes ? shared_bytes : 0;
  if (error == cudaSuccess && asked_for > 0) {
    error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(asked_for));
  }
  if (error == cudaSuccess) {
    cudaLaunchAttribute attribute{};
    attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attribute.val.programmaticStreamSerializationAllowed = 1;
    cudaLaunchConfig_t config{};
    config.gridDim = grid;
    config.blockDim = dim3(static_cast<uint32_t>(n_threads));
    config.dynamicSmemBytes = asked_for;
    config.stream = static_cast<cudaStream_t>(context.stream);
    config.attrs = &attribute;
    config.numAttrs = early ? 1 : 0;
    error = cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
  }
  if (context.error == 0) context.error = static_cast<int32_t>(error);
}

template <typename... Parameters, typename... Arguments>
void Launch(void* native, void (*kernel)(Parameters...), dim3 grid, int n_threads, size_t shared_bytes,
            Arguments... arguments) {
  LaunchWhen(false, native, kernel, grid, n_threads, shared_bytes, arguments...);
}
/// The kernel may begin while the one before still runs; it calls AwaitPrevious(). Devices before sm_90 cannot.
template <typename... Parameters, typename... Arguments>
void LaunchEarly(void* native, void (*kernel)(Parameters...), dim3 grid, int n_threads, size_t shared_bytes,
                 Arguments... arguments) {
  const char* arch = static_cast<GpuContext*>(native)->traits->arch;
  const bool has_them = arch[3] == '9' || std::strlen(arch) > 5;  // sm_90, sm_100
  LaunchWhen(has_them, native, kernel, grid, n_threads, shared_bytes, arguments...);
}

}  // namespace
}  // namespace rf::hip
