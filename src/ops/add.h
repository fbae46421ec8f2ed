#pragma once

#include "ops/operands.h"

namespace rf {

/// y = a + b, element by element. a, b, y [n_rows, n_cols] F32; y may be a or b.
/// Operands: in[0] = a, in[1] = b, out[0] = y.
struct Add {
  static constexpr KeyKind kKeyKind = KeyKind::kActivation;
  struct Attrs {};
  struct Args {
    TensorView a;
    TensorView b;
    TensorView y;
  };
  static Args Bind(const Attrs&, const Operands& o) { return {o.in[0], o.in[1], o.out[0]}; }
  static Format Key(const Args& args) { return args.y.format; }
  static Status Check(const Args& args);
  static void Reference(const Args& args);
};

}  // namespace rf
