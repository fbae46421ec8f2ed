#pragma once

#include "ops/operands.h"

namespace rf {

/// Root-mean-square norm over groups of a row: y = x / sqrt(mean(x^2) + eps) * w, each group of n_cols / n_groups
/// elements on its own with the same w. n_groups = 1 is the ordinary norm; n_groups = n_heads normalizes each head
/// (QK-norm).
///   x [n_rows, n_cols] F32   w [n_cols / n_groups] F32   y [n_rows, n_cols] F32, may be x itself
/// Operands: in[0] = x, out[0] = y, weight[0] = w. Source: Zhang & Sennrich 2019, arXiv:1910.07467.
struct RmsNorm {
  static constexpr KeyKind kKeyKind = KeyKind::kActivation;
  struct Attrs {
    float eps = 1e-5f;
    int32_t n_groups = 1;
  };
  struct Args {
    TensorView x;
    WeightView weight;
    TensorView y;
    Attrs attrs;
  };
  static Args Bind(const Attrs& attrs, const Operands& o) { return {o.in[0], o.weight[0], o.out[0], attrs}; }
  static Format Key(const Args& args) { return args.x.format; }
  static Status Check(const Args& args);
  static void Reference(const Args& args);
};

}  // namespace rf
