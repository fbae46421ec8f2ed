#pragma once

#include "ops/operands.h"

namespace rf {

/// y[i, :] = x[output_rows[i], :]: only the rows whose logits are wanted go through the model's head.
///   x [n_tokens, n_cols] F32   y [n_outputs, n_cols] F32, must not alias x
/// Operands: in[0] = x, out[0] = y, batch.output_rows.
struct GatherRows {
  static constexpr KeyKind kKeyKind = KeyKind::kActivation;
  struct Attrs {};
  struct Args {
    TensorView x;
    TensorView y;
    const BatchView* batch;
  };
  static Args Bind(const Attrs&, const Operands& o) { return {o.in[0], o.out[0], o.batch}; }
  static Format Key(const Args& args) { return args.y.format; }
  static Status Check(const Args& args);
  static void Reference(const Args& args);
};

}  // namespace rf
