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

/// exp(x) for x <= 88, exp(88) above; 0 below -87.3; NaN for NaN. Cody-Waite reduction to [-ln2/2, ln2/2] and a
/// polynomial of degree 6: 1.5 ulp.
RF_SIMD Vec Exp(Vec x) {
  // Max and Min give their second operand where one is NaN: x must be it, or NaN would turn into a number here.
  const Vec clamped = Min(Broadcast(88.0f), Max(Broadcast(-87.33f), x));
  const Vec n = Round(clamped * 1.44269504088896341f);
  Vec r = FusedMultiplyAdd(n, Broadcast(-0.693145751953125f), clamped);
  r = FusedMultiplyAdd(n, Broadcast(-1.428606820309417e-6f), r);
  Vec p = Broadcast(1.9875691500e-4f);
  p = FusedMultiplyAdd(p, r, Broadcast(1.3981999507e-3f));
  p = FusedMultiplyAdd(p, r, Broadcast(8.3334519073e-3f));
  p = FusedMultiplyAdd(p, r, Broadcast(4.1665795894e-2f));
  p = FusedMultiplyAdd(p, r, Broadcast(1.6666665459e-1f));
  p = FusedMultiplyAdd(p, r, Broadcast(5.0000001201e-1f));
  p = FusedMultiplyAdd(p, r * r, r + 1.0f);
  const IntVec exponent = (__builtin_convertvector(n, IntVec) + 127) << 23;
  Vec scale;
  memcpy(&scale, &exponent, sizeof(scale));
  return Select(x < Broadcast(-87.33f), Vec{}, p * scale);
}

/// 1 / (1 + exp(-x))
RF_SIMD Vec Sigmoid(Vec x) {
  return Broadcast(1.0f) / (Exp(-x) + 1.0f);
}

/// tanh(x) = 2 sigmoid(2x) - 1, exact enough where |x| is not tiny; below 0.1 its series.
RF_SIMD Vec Tanh(Vec x) {
  const Vec square = x * x;
  Vec series = FusedMultiplyAdd(square, Broadcast(-17.0f / 315.0f), Broadcast(2.0f / 15.0f));
  series = FusedMultiplyAdd(series, square, Broadcast(-1.0f / 3.0f));
  series = FusedMultiplyAdd(series * square, x, x);
  return Select(square < Broadcast(0.01f), series, Sigmoid(x * 2.0f) * 2.0f - 1.0f);
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
