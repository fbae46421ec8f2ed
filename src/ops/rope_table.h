#pragma once

#include "ops/operands.h"

namespace rf {

/// The rotations of a step's tokens, made once per step and shared by all layers with the same frequencies:
///   table[t, 2j] = magnitude * cos(positions[t] * f[j]),  table[t, 2j + 1] = magnitude * sin(positions[t] * f[j])
///   f [rope_dim / 2] F32, radians per position (linear, YaRN, llama3 and long-rope scaling are already in it)
///   table [n_tokens, rope_dim] F32.  The angle is formed in double: positions reach 10^6.
/// Operands: out[0] = table, weight[0] = f, batch.positions. Source: Su et al. 2021, arXiv:2104.09864; Peng et al.
/// 2023, arXiv:2309.00071.
struct RopeTable {
  static constexpr KeyKind kKeyKind = KeyKind::kActivation;
  struct Attrs {
    float magnitude = 1.0f;
  };
  struct Args {
    WeightView frequencies;
    TensorView table;
    const BatchView* batch;
    Attrs attrs;
  };
  static Args Bind(const Attrs& attrs, const Operands& o) { return {o.weight[0], o.out[0], o.batch, attrs}; }
  static Format Key(const Args& args) { return args.table.format; }
  static Status Check(const Args& args);
  static void Reference(const Args& args);
};

}  // namespace rf
