// The gated linear unit's arithmetic, which two kernels share bit by bit.
#pragma once

#include "hip/kernels/gpu.h"
#include "ops/glu.h"

namespace rf::hip {
namespace {

RF_DEVICE float Activate(Activation activation, float x) {
  if (activation == Activation::kSilu) return x / (1.0f + expf(-x));
  // 0.5 x (1 + tanh(u)) = x / (1 + exp(-2u))
  constexpr float kTwiceSqrtTwoOverPi = 1.5957691216057308f;
  const float twice_u = kTwiceSqrtTwoOverPi * (x + 0.044715f * x * x * x);
  return x / (1.0f + expf(-twice_u));
}

/// activation(gate) * up.
RF_DEVICE Float4 GluOf(Activation activation, const Float4& gate, const Float4& up) {
  return {Activate(activation, gate.x) * up.x, Activate(activation, gate.y) * up.y, Activate(activation, gate.z) * up.z,
          Activate(activation, gate.w) * up.w};
}

}  // namespace
}  // namespace rf::hip
