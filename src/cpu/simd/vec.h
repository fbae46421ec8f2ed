// Vec: as many floats as one register of the instruction set holds, with the operations that kernels need. The one
// algorithm of a kernel is written against it; simd/<isa>.h fills in what the compiler's own vector arithmetic does not
// give.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/half.h"

#if defined(__AVX512F__)
#include "cpu/simd/avx512.h"
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include "cpu/simd/avx2.h"
#elif defined(RF_NEON)
#include "cpu/simd/neon.h"
#else
#include "cpu/simd/generic.h"
#endif

#define RF_SIMD [[maybe_unused]] static inline __attribute__((always_inline))

namespace rf::cpu {
namespace {

RF_SIMD Vec Load(const float* from) {
  Vec value;
  memcpy(&value, from, sizeof(value));
  return value;
}

RF_SIMD void Store(float* to, Vec value) {
  memcpy(to, &value, sizeof(value));
}

RF_SIMD Vec Broadcast(float value) {
  return value - Vec{};  // a number less 0 is itself, so this is no arithmetic; 0 and a number may be +0 for -0
}

/// The first n < kLanes floats, zeros behind them.
RF_SIMD Vec LoadPart(const float* from, int64_t n) {
  Vec value{};
  memcpy(&value, from, static_cast<size_t>(n) * sizeof(float));
  return value;
}

RF_SIMD void StorePart(float* to, Vec value, int64_t n) {
  memcpy(to, &value, static_cast<size_t>(n) * sizeof(float));
}

/// The lanes kStep further on, and behind the last ones the first.
template <int kStep>
RF_SIMD Vec Rotated(Vec v) {
  constexpr auto kFrom = [](int lane) { return (lane + kStep) % kLanes; };
  if constexpr (kLanes == 4) {
    return __builtin_shufflevector(v, v, kFrom(0), kFrom(1), kFrom(2), kFrom(3));
  } else if constexpr (kLanes == 8) {
    return __builtin_shufflevector(v, v, kFrom(0), kFrom(1), kFrom(2), kFrom(3), kFrom(4), kFrom(5), kFrom(6),
                                   kFrom(7));
  } else {
    return __builtin_shufflevector(v, v, kFrom(0), kFrom(1), kFrom(2), kFrom(3), kFrom(4), kFrom(5), kFrom(6), kFrom(7),
                                   kFrom(8), kFrom(9), kFrom(10), kFrom(11), kFrom(12), kFrom(13), kFrom(14),
                                   kFrom(15));
  }
}

/// The sum of all lanes, in a fixed order: halves of the register, of the half, and so on.
template <int kStep = kLanes / 2>
RF_SIMD float ReduceAdd(Vec value) {
  if constexpr (kStep == 0) {
    return value[0];
  } else {
    return ReduceAdd<kStep / 2>(value + Rotated<kStep>(value));
  }
}

/// The largest lane; some lane where one of them is NaN.
template <int kStep = kLanes / 2>
RF_SIMD float ReduceMax(Vec value) {
  if constexpr (kStep == 0) {
    return value[0];
  } else {
    return ReduceMax<kStep / 2>(Max(value, Rotated<kStep>(value)));
  }
}

/// Calls body(offset, count) along a row of n floats: count is kLanes, but for the last part.
template <typename Body>
RF_SIMD void ForEachVec(int64_t n, Body body) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, static_cast<int64_t>(kLanes));
  if (i < n) body(i, n - i);
}

RF_SIMD Vec LoadUpTo(const float* from, int64_t n) {
  return n == kLanes ? Load(from) : LoadPart(from, n);
}

RF_SIMD void StoreUpTo(float* to, Vec value, int64_t n) {
  if (n == kLanes) {
    Store(to, value);
  } else {
    StorePart(to, value, n);
  }
}

}  // namespace
}  // namespace rf::cpu
