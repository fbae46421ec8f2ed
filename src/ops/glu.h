#pragma once

#include "ops/operands.h"

namespace rf {

enum class Activation : int32_t {
  kSilu,      ///< x / (1 + exp(-x))
  kGeluTanh,  ///< 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
};

/// Gated linear unit: y = activation(gate) * up, element by element.
///   gate, up, y [n_rows, d_ff] F32; y may be gate or up
/// Operands: in[0] = gate, in[1] = up, out[0] = y. Source: Shazeer 2020, arXiv:2002.05202.
struct Glu {
  static constexpr KeyKind kKeyKind = KeyKind::kActivation;
  struct Attrs {
    Activation activation = Activation::kSilu;
  };
  struct Args {
    TensorView gate;
    TensorView up;
    TensorView y;
    Attrs attrs;
  };
  static Args Bind(const Attrs& attrs, const Operands& o) { return {o.in[0], o.in[1], o.out[0], attrs}; }
  static Format Key(const Args& args) { return args.y.format; }
  static Status Check(const Args& args);
  static void Reference(const Args& args);
};

}  // namespace rf
