#pragma once

#include "ops/operands.h"

namespace rf {

/// Chooses each token's experts: p = softmax(logits); the n_used largest p (equal values: lower index first), best
/// first.
///   logits [n_tokens, n_experts] F32   ids [n_tokens, n_used] I32   weights [n_tokens, n_used] F32
/// weights = p of the chosen, divided by their sum if `normalize`, times `scale`.
/// Operands: in[0] = logits, out[0] = ids, out[1] = weights. Source: Mixtral, arXiv:2401.04088, section 2.1.
struct MoeRoute {
  static constexpr KeyKind kKeyKind = KeyKind::kActivation;
  struct Attrs {
    int32_t n_used = 0;
    bool normalize = true;
    float scale = 1.0f;
  };
  struct Args {
    TensorView logits;
    TensorView ids;
    TensorView weights;
    Attrs attrs;
  };
  static Args Bind(const Attrs& attrs, const Operands& o) { return {o.in[0], o.out[0], o.out[1], attrs}; }
  static Format Key(const Args& args) { return args.logits.format; }
  static Status Check(const Args& args);
  static void Reference(const Args& args);
};

}  // namespace rf
