// The functions of simd/maths.h over arrays, as maths_test.cc gets them from each instruction set.
#pragma once

#include <cstdint>

namespace rf::cpu {

/// y[i] = f(x[i]) for i < n.
using ArrayFunction = void (*)(const float* x, float* y, int64_t n);

struct MathsProbe {
  ArrayFunction exp;
  ArrayFunction silu;
  ArrayFunction gelu_tanh;
  ArrayFunction tanh;
};

}  // namespace rf::cpu
