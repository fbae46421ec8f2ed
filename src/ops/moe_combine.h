#pragma once

#include "ops/operands.h"

namespace rf {

/// y[t, :] = sum_j weights[t, j] * x[t * n_used + j, :]
///   x [n_tokens * n_used, d_model] F32   weights [n_tokens, n_used] F32   y [n_tokens, d_model] F32, must not alias x
/// Operands: in[0] = x, in[1] = weights, out[0] = y.
struct MoeCombine {
  static constexpr KeyKind kKeyKind = KeyKind::kActivation;
  struct Attrs {};
  struct Args {
    TensorView x;
    TensorView weights;
    TensorView y;
  };
  static Args Bind(const Attrs&, const Operands& o) { return {o.in[0], o.in[1], o.out[0]}; }
  static Format Key(const Args& args) { return args.y.format; }
  static Status Check(const Args& args);
  static void Reference(const Args& args);
};

}  // namespace rf
