#pragma once

#include "ops/operands.h"

namespace rf {

/// y[t, :] = scale * dequant(W)[token_ids[t], :]
///   W [n_vocab, d_model] any format   y [n_tokens, d_model] F32
/// Operands: out[0] = y, weight[0] = W, batch.token_ids.
struct Embed {
  static constexpr KeyKind kKeyKind = KeyKind::kWeight;
  struct Attrs {
    float scale = 1.0f;
  };
  struct Args {
    WeightView weight;
    TensorView y;
    const BatchView* batch;
    Attrs attrs;
  };
  static Args Bind(const Attrs& attrs, const Operands& o) { return {o.weight[0], o.out[0], o.batch, attrs}; }
  /// The format that selects the kernel.
  static Format Key(const Args& args) { return args.weight.format; }
  /// Errors: kUnsupported or kInvalidArgument naming the operand whose shape or format is wrong.
  static Status Check(const Args& args);
  /// Reference in double precision.
  static void Reference(const Args& args);
};

}  // namespace rf
