#pragma once

#include "ops/operands.h"

namespace rf {

/// Up to three products that share one input (Q, K and V; gate and up), so that a device prepares x once:
///   y_p[t, o] = sum_i dequant(W_p)[o, i] * x[t, i] (+ bias_p[o]) (+ residual[t, o], only with one part)
///   x [n_rows, d_in] F32   W_p [d_out_p, d_in] any format, the same for all parts or a mix   bias_p [d_out_p] F32 or
///   absent y_p [n_rows, d_out_p] F32, must not alias x; residual [n_rows, d_out] F32 or absent, may be y_0 itself
/// Operands: in[0] = x, in[1] = residual, out[p] = y_p, weight[2p] = W_p, weight[2p + 1] = bias_p.
/// Tolerances: design §4 (NMSE <= 5e-4 with 8-bit activations, <= 1e-5 with 16-bit ones, <= 1e-9 in F32).
struct MatMul {
  static constexpr KeyKind kKeyKind = KeyKind::kWeight;
  static constexpr int kMaxParts = 3;
  struct Attrs {
    int32_t n_parts = 1;
  };
  struct Part {
    WeightView weight;
    WeightView bias;
    TensorView y;
  };
  struct Args {
    TensorView x;
    TensorView residual;
    Part parts[kMaxParts];
    int32_t n_parts;
  };
  static Args Bind(const Attrs& attrs, const Operands& o) {
    Args args{o.in[0], o.in[1], {}, attrs.n_parts};
    for (int p = 0; p < attrs.n_parts; ++p) args.parts[p] = {o.weight[2 * p], o.weight[2 * p + 1], o.out[p]};
    return args;
  }
  static Format Key(const Args& args) { return args.parts[0].weight.format; }
  static Status Check(const Args& args);
  static void Reference(const Args& args);
};

}  // namespace rf
