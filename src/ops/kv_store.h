#pragma once

#include "ops/operands.h"

namespace rf {

/// Stores the step's keys and values at their sequences' positions in the layer's pages, converting to the cache's
/// format:
///   K[page, h, p % page_tokens, :] = k[t, h, :] with p = positions[t], page = page_table[sequence_of[t], p /
///   page_tokens]; V alike. k, v [n_tokens, n_kv_heads * head_dim] F32
/// Operands: in[0] = k, in[1] = v, kv, batch. Every (page, slot) is written by one token only.
struct KvStore {
  static constexpr KeyKind kKeyKind = KeyKind::kCache;
  struct Attrs {};
  struct Args {
    TensorView k;
    TensorView v;
    KvLayerView kv;
    const BatchView* batch;
  };
  static Args Bind(const Attrs&, const Operands& o) { return {o.in[0], o.in[1], *o.kv, o.batch}; }
  static Format Key(const Args& args) { return args.kv.format; }
  static Status Check(const Args& args);
  static void Reference(const Args& args);
};

}  // namespace rf
