#pragma once

#include "ops/operands.h"

namespace rf {

/// Scaled dot-product attention of a ragged batch over the paged cache; KvStore of the same step comes first.
///   s[t, h, p] = soft_cap(scale * <q[t, h], K[p, h / group]>) + alibi;  y[t, h] = sum_p softmax_p(s)[p] * V[p, h /
///   group]
/// over the positions p of t's own sequence with p <= positions[t] (causal) and positions[t] - p < window (if window >
/// 0); the positions of a sequence's tokens ascend by one. With `sinks`, exp(sinks[h]) joins the softmax's denominator
/// only. group = n_heads / n_kv_heads.
///   q [n_tokens, n_heads * head_dim] F32   y the same shape, must not alias q   sinks [n_heads] F32 or absent
/// Operands: in[0] = q, out[0] = y, weight[0] = sinks, kv, batch.
/// Result for a token does not depend on what else is in the batch, nor on how the prompt was cut into steps.
/// Source: Vaswani et al. 2017; online softmax as Dao et al. 2022, arXiv:2205.14135; paging as Kwon et al. 2023,
/// arXiv:2309.06180.
struct Attention {
  static constexpr KeyKind kKeyKind = KeyKind::kCache;
  struct Attrs {
    int32_t n_heads = 0;
    float scale = 1.0f;
    int32_t window = 0;           ///< 0: unlimited
    float soft_cap = 0.0f;        ///< 0: none; else cap * tanh(s / cap)
    float alibi_max_bias = 0.0f;  ///< 0: none; Press et al. 2021, arXiv:2108.12409
  };
  struct Args {
    TensorView q;
    WeightView sinks;
    TensorView y;
    KvLayerView kv;
    const BatchView* batch;
    Attrs attrs;
  };
  static Args Bind(const Attrs& attrs, const Operands& o) {
    return {o.in[0], o.weight[0], o.out[0], *o.kv, o.batch, attrs};
  }
  static Format Key(const Args& args) { return args.kv.format; }
  static Status Check(const Args& args);
  static void Reference(const Args& args);
};

}  // namespace rf
