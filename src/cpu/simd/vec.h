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
  return Vec{} + value;
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

/// The sum of all lanes, in a fixed order.
RF_SIMD float ReduceAdd(Vec value) {
  float lanes[kLanes];
  memcpy(lanes, &value, sizeof(value));
  for (int step = kLanes / 2; step > 0; step /= 2) {
    for (int i = 0; i < step; ++i) lanes[i] += lanes[i + step];
  }
  return lanes[0];
}

RF_SIMD float ReduceMax(Vec value) {
  float largest = value[0];
  for (int i = 1; i < kLanes; ++i) largest = value[i] > largest ? value[i] : largest;
  return largest;
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
