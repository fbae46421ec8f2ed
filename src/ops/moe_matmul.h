#pragma once

#include "ops/operands.h"

namespace rf {

/// Each token's products with its own experts:
///   y[t * n_used + j, o] = sum_i dequant(W[ids[t, j]])[o, i] * x[r, i],  r = t if x has n_tokens rows, t * n_used + j
///   otherwise W [n_experts, d_out, d_in] any format   ids [n_tokens, n_used] I32   y [n_tokens * n_used, d_out] F32
/// Operands: in[0] = x, in[1] = ids, out[0] = y, weight[0] = W.
struct MoeMatMul {
  static constexpr KeyKind kKeyKind = KeyKind::kWeight;
  struct Attrs {};
  struct Args {
    TensorView x;
    TensorView ids;
    WeightView weight;
    TensorView y;
  };
  static Args Bind(const Attrs&, const Operands& o) { return {o.in[0], o.in[1], o.weight[0], o.out[0]}; }
  static Format Key(const Args& args) { return args.weight.format; }
  static Status Check(const Args& args);
  static void Reference(const Args& args);
};

}  // namespace rf
