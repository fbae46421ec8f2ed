// The block emulator's spelling of gpu.h's language: plain C++.
#pragma once

#include <math.h>  // the overloads for float, without std::
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>

#include "base/half.h"
#include "hip/emulation/emulator.h"
#include "hip/kernels/vectors.h"

#define RF_KERNEL void
#define RF_DEVICE [[maybe_unused]] static inline
#define RF_DEVICE_MEMBER inline
#define RF_UNROLL
#define RF_UNROLL_LOADS
#define RF_LAUNCH_BOUNDS(n_threads)
#define RF_MANY_REGISTERS(n_threads)
#define RF_BLOCKS_AT_ONCE(n_threads, n_blocks)

namespace rf::hip {
namespace {

using dim3 = emulation::Dim3;
[[maybe_unused]] const dim3& threadIdx = emulation::thread_index;
[[maybe_unused]] const dim3& blockIdx = emulation::block_index;
[[maybe_unused]] const dim3& blockDim = emulation::block_size;
[[maybe_unused]] const dim3& gridDim = emulation::grid_size;

inline constexpr int kWaveLanes = 64;  ///< the most
RF_DEVICE int WaveSize() {
  return emulation::WaveSize();
}
RF_DEVICE void BlockBarrier() {
  emulation::BlockBarrier();
}

/// T in the low bytes of a word that lanes exchange.
template <typename T>
uint64_t ToWord(T value) {
  static_assert(sizeof(T) <= sizeof(uint64_t));
  uint64_t word = 0;
  std::memcpy(&word, &value, sizeof(T));
  return word;
}
template <typename T>
T FromWord(uint64_t word) {
  T value;
  std::memcpy(&value, &word, sizeof(T));
  return value;
}

template <typename T>
T Shuffle(T value, int lane) {
  return FromWord<T>(emulation::Exchange(ToWord(value))[lane & (WaveSize() - 1)]);
}
template <typename T>
T ShuffleXor(T value, int mask) {
  const int lane = static_cast<int>(threadIdx.x) & (WaveSize() - 1);
  return FromWord<T>(emulation::Exchange(ToWord(value))[lane ^ mask]);
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
  const uint64_t* predicates = emulation::Exchange(predicate ? 1 : 0);
  uint64_t bits = 0;
  for (int lane = 0; lane < WaveSize(); ++lane) bits |= predicates[lane] << lane;
  return bits;
}
/// How many bits are set.
RF_DEVICE int CountBits(uint64_t bits) {
  return std::popcount(bits);
}
/// What rf::HalfToFloat says, by the hardware's own instruction.
RF_DEVICE float HalfBitsToFloat(uint16_t bits) {
  return HalfToFloat(bits);
}
using LoadedSixteen = Int4;
/// Sixteen bytes from an even address.
RF_DEVICE Int4 LoadSixteen(const void* address) {
  Int4 bytes;
  std::memcpy(&bytes, address, sizeof(bytes));
  return bytes;
}
/// Sixteen bytes from any address.
RF_DEVICE Int4 LoadSixteenAnywhere(const void* address) {
  return LoadSixteen(address);
}
/// The half nearest to a number, ties to even: rounded once, by way of a float that was rounded to odd.
RF_DEVICE uint16_t NearestHalf(double value) {
  auto nearest = static_cast<float>(value);
  if (static_cast<double>(nearest) != value && std::isfinite(nearest)) {
    uint32_t bits = FloatToBits(nearest);
    if (std::fabs(static_cast<double>(nearest)) > std::fabs(value)) --bits;
    nearest = BitsToFloat(bits | 1u);
  }
  return FloatToHalf(nearest);
}
/// `use` of each of the two halves of three words.
template <typename Use>
int ForBothHalves(int a, int b, int c, Use use) {
  uint32_t halves = 0;
  for (int i = 0; i < 2; ++i) {
    const auto of = [i](int word) {
      return HalfToFloat(static_cast<uint16_t>(static_cast<uint32_t>(word) >> (16 * i)));
    };
    halves |= static_cast<uint32_t>(NearestHalf(use(of(a), of(b), of(c)))) << (16 * i);
  }
  return static_cast<int>(halves);
}
/// Two halves in a word, as elsewhere here. Each operation rounds once; subnormal numbers count.
RF_DEVICE int MulHalves(int a, int b) {
  return ForBothHalves(a, b, 0, [](double x, double y, double) { return x * y; });
}
RF_DEVICE int AddHalves(int a, int b) {
  return ForBothHalves(a, b, 0, [](double x, double y, double) { return x + y; });
}
/// a * b + c.
RF_DEVICE int FmaHalves(int a, int b, int c) {
  return ForBothHalves(a, b, c, [](double x, double y, double z) { return std::fma(x, y, z); });
}
/// Rounded to nearest even.
RF_DEVICE int PackHalves(float low, float high) {
  return static_cast<int>(FloatToHalf(low) | static_cast<uint32_t>(FloatToHalf(high)) << 16);
}
/// Byte i is the byte of the eight in `low` and `high` that byte i of `selectors`, 0..7, names.
RF_DEVICE int PermuteBytes(int low, int high, int selectors) {
  const uint64_t bytes = static_cast<uint64_t>(static_cast<uint32_t>(high)) << 32 | static_cast<uint32_t>(low);
  uint32_t permuted = 0;
  for (int i = 0; i < 4; ++i) {
    permuted |= static_cast<uint32_t>(bytes >> (8 * (selectors >> (8 * i) & 7)) & 0xff) << (8 * i);
  }
  return static_cast<int>(permuted);
}
/// The compiler moves no load across: what it would fetch early for later rows takes registers that others need.
RF_DEVICE void KeepOrder() {}
// As language_cuda.h says; here a launch begins when the one before has ended.
RF_DEVICE void AwaitPrevious() {}
RF_DEVICE void AdmitNext() {}
/// All lanes of the wave have come here.
RF_DEVICE void WaveBarrier() {
  emulation::Exchange(0);
}
/// Copies from memory to shared memory, if `condition`; here they are done at once.
RF_DEVICE void CopySixteenIf(bool condition, void* to, const void* from) {
  if (condition) std::memcpy(to, from, 16);
}
RF_DEVICE void CloseCopies() {}
template <int kGroups>
RF_DEVICE void WaitForCopies() {}
/// c + the dot product of four signed bytes.
RF_DEVICE int Dot4(int a, int b, int c) {
  for (int i = 0; i < 4; ++i) c += static_cast<int8_t>(a >> (8 * i)) * static_cast<int8_t>(b >> (8 * i));
  return c;
}
template <typename T>
T& Shared() {
  return *static_cast<T*>(emulation::SharedMemory(sizeof(T)));
}

template <typename... Parameters, typename... Arguments>
void Launch(void* native, void (*kernel)(Parameters...), dim3 grid, int n_threads, size_t shared_bytes,
            Arguments... arguments) {
  auto run = [kernel, arguments...] { kernel(static_cast<Parameters>(arguments)...); };
  emulation::Enqueue(*static_cast<GpuContext*>(native), {grid, n_threads, shared_bytes, std::move(run)});
}

template <typename... Parameters, typename... Arguments>
void LaunchEarly(void* native, void (*kernel)(Parameters...), dim3 grid, int n_threads, size_t shared_bytes,
                 Arguments... arguments) {
  Launch(native, kernel, grid, n_threads, shared_bytes, arguments...);
}

}  // namespace
}  // namespace rf::hip
