// exp and what is made of it, for whole registers: within 2 units in the last place of the exact value wherever that is
// a normal number (maths_test.cc looks at every float there). The polynomials are minimax fits of the relative error.
#pragma once

#include "cpu/simd/vec.h"

namespace rf::cpu {
namespace {

/// Below, exp(x) is no normal number and counts as 0.
inline constexpr float kLeastExponent = -87.33f;

/// exp(x) = scale * (1 + r * q), scale = 2^n, |r| <= ln2 / 2.
struct ReducedExp {
  Vec scale;
  Vec r;
  Vec q;
};

/// Of x + low for x in [-87.33, 88], beyond which it is that of the nearest end; NaN for NaN. `low` is what x as one
/// number lacks, at most a unit in its last place.
RF_SIMD ReducedExp ReduceExp(Vec x, Vec low) {
  // Max and Min give their second operand where one is NaN: x must be it, or NaN would turn into a number here.
  const Vec clamped = Min(Broadcast(88.0f), Max(Broadcast(kLeastExponent), x));
  const Vec n = Round(clamped * 1.44269504088896341f);
  // ln2 in two parts (Cody and Waite): n times the first is exact.
  Vec r = FusedMultiplyAdd(n, Broadcast(-0.693145751953125f), clamped);
  r = FusedMultiplyAdd(n, Broadcast(-1.42860682e-6f), r) + low;
  Vec q = Broadcast(1.381453942e-3f);
  q = FusedMultiplyAdd(q, r, Broadcast(8.368745446e-3f));
  q = FusedMultiplyAdd(q, r, Broadcast(4.166838899e-2f));
  q = FusedMultiplyAdd(q, r, Broadcast(1.666652113e-1f));
  q = FusedMultiplyAdd(q, r, Broadcast(4.999999404e-1f));
  q = FusedMultiplyAdd(q, r, Broadcast(1.0f));
  const IntVec exponent = (__builtin_convertvector(n, IntVec) + 127) << 23;
  Vec scale;
  memcpy(&scale, &exponent, sizeof(scale));
  return {Select(x < Broadcast(kLeastExponent), Vec{}, scale), r, q};
}

/// exp(x) for x <= 88, exp(88) above; 0 below -87.33; NaN for NaN.
RF_SIMD Vec Exp(Vec x) {
  const ReducedExp e = ReduceExp(x, Vec{});
  return FusedMultiplyAdd(e.q, e.r, Broadcast(1.0f)) * e.scale;
}

RF_SIMD Vec Magnitude(Vec x) {
  return Select(x < Vec{}, -x, x);
}

/// A number as the sum of two.
struct Sum {
  Vec high;
  Vec low;
};

/// y / (1 + exp(-(x + low))), rounded once but for small errors. Only exponentials up to 1 are used, whose errors do
/// not grow in the sum.
RF_SIMD Vec TimesSigmoid(Vec y, Vec x, Vec low) {
  const IntVec is_negative = x < Vec{};
  const ReducedExp reduced = ReduceExp(-Magnitude(x), Select(is_negative, low, -low));
  const Vec rest = reduced.r * reduced.q;
  const Vec high = rest + 1.0f;
  const Sum e = {high * reduced.scale, (rest - (high - 1.0f)) * reduced.scale};
  // y e / (1 + e) where x is negative, else y / (1 + e).
  const Vec product = y * e.high;
  const Sum numerator = {Select(is_negative, product, y),
                         Select(is_negative, FusedMultiplyAdd(y, e.low, ProductError(y, e.high, product)), Vec{})};
  const Vec whole = e.high + 1.0f;
  const Sum denominator = {whole, (e.high - (whole - 1.0f)) + e.low};
  const Vec quotient = numerator.high / denominator.high;
  const Vec back = quotient * denominator.high;
  const Vec remainder = (numerator.high - back) - ProductError(quotient, denominator.high, back);
  const Vec correction = (remainder + numerator.low - quotient * denominator.low) / denominator.high;
  // No correction where y is so large that its parts overflow.
  return Select(correction == correction, quotient + correction, quotient);
}

/// x / (1 + exp(-x))
RF_SIMD Vec Silu(Vec x) {
  return TimesSigmoid(x, x, Vec{});
}

/// 0.5 x (1 + tanh(u)) = x / (1 + exp(-2u)), 2u = 2 sqrt(2 / pi) (x + 0.044715 x^3), which is computed as a sum of two
/// numbers: an error in it is one of the result.
RF_SIMD Vec GeluTanh(Vec x) {
  // 2 sqrt(2 / pi), and 0.044715 times that, each as a sum.
  constexpr float kLinear = 1.5957691669464111f;
  constexpr float kLinearLow = -4.534068042e-8f;
  constexpr float kCubic = 0.07135481387376785f;
  constexpr float kCubicLow = 2.398832396e-9f;
  // Beyond 10.1 the sigmoid is 1 or too small for a normal number.
  const Vec clamped = Min(Broadcast(10.1f), Max(Broadcast(-10.1f), x));
  const Vec square = clamped * clamped;
  const Vec square_low = ProductError(clamped, clamped, square);
  const Vec cubic = square * kCubic;
  Vec low = ProductError(square, Broadcast(kCubic), cubic) + square_low * kCubic + square * kCubicLow;
  const Vec factor = cubic + kLinear;
  // What the sum lost (Knuth's two-sum: either term may be the larger).
  const Vec linear_part = factor - cubic;
  low += (cubic - (factor - linear_part)) + (kLinear - linear_part) + kLinearLow;
  const Vec twice_u = clamped * factor;
  return TimesSigmoid(x, twice_u, ProductError(clamped, factor, twice_u) + clamped * low);
}

/// Below 0.55 an odd polynomial, then 1 - 2 / (1 + exp(2x)).
RF_SIMD Vec Tanh(Vec x) {
  const Vec magnitude = Magnitude(x);
  const Vec square = x * x;
  Vec p = Broadcast(-6.274240091e-3f);
  p = FusedMultiplyAdd(p, square, Broadcast(2.107167989e-2f));
  p = FusedMultiplyAdd(p, square, Broadcast(-5.385230854e-2f));
  p = FusedMultiplyAdd(p, square, Broadcast(1.333258599e-1f));
  p = FusedMultiplyAdd(p, square, Broadcast(-3.333331645e-1f));
  const Vec small = FusedMultiplyAdd(p * square, x, x);
  const Vec large = 1.0f - 2.0f / (Exp(magnitude * 2.0f) + 1.0f);
  return Select(magnitude < Broadcast(0.55f), small, Select(x < Vec{}, -large, large));
}

}  // namespace
}  // namespace rf::cpu
