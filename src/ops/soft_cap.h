#pragma once

#include "ops/operands.h"

namespace rf {

/// y = cap * tanh(scale * x / cap), or scale * x when cap is 0: the last step of models that bound or scale their
/// logits.
///   x, y [n_rows, n_cols] F32; y may be x
/// Operands: in[0] = x, out[0] = y.
struct SoftCap {
  static constexpr KeyKind kKeyKind = KeyKind::kActivation;
  struct Attrs {
    float cap = 0.0f;
    float scale = 1.0f;
  };
  struct Args {
    TensorView x;
    TensorView y;
    Attrs attrs;
  };
  static Args Bind(const Attrs& attrs, const Operands& o) { return {o.in[0], o.out[0], attrs}; }
  static Format Key(const Args& args) { return args.y.format; }
  static Status Check(const Args& args);
  static void Reference(const Args& args);
};

}  // namespace rf
