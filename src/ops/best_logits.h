#pragma once

#include "ops/operands.h"

namespace rf {

/// The k best logits of each row, after changes, and what sampling needs to know of the rest.
///   logits, changed [n_outputs, n_vocab] F32, the same memory   ids [n_outputs, k] I32   values [n_outputs, k] F32
///   sums [n_outputs, ceil(n_vocab / kPart)] F32
/// For each row i with batch.best_factors[i] >= 0 (of the others nothing is written):
/// 1. batch.changes of the row are made to its logits;
/// 2. ids, values = the k largest logits, largest first, equal ones by lower id. NaN and minus infinity are none: free
///    places hold -1 and minus infinity. A zero comes out without its sign;
/// 3. if the factor is above 0: sums[i, p] = the sum over the p-th kPart logits of 2^((logit - largest) * factor), of
///    NaN 0, as FastExp2 computes it, by 16 lanes: logit j belongs to lane j % 16, each lane adds in the order of its
///    logits in F32, the lanes' sums are added in F64. The same bits everywhere but in Reference, which is exact.
/// Operands: in[0] = logits, out[0] = ids, out[1] = values, out[2] = sums, out[3] = changed, batch.
struct BestLogits {
  static constexpr KeyKind kKeyKind = KeyKind::kActivation;
  static constexpr int64_t kMostBest = 128;  ///< k at most
  static constexpr int64_t kPart = 1024;
  static constexpr int kLanes = 16;
  struct Attrs {};
  struct Args {
    TensorView logits;
    TensorView ids;
    TensorView values;
    TensorView sums;
    TensorView changed;
    const BatchView* batch;
  };
  static constexpr int64_t PartsOf(int64_t n_vocab) { return (n_vocab + kPart - 1) / kPart; }
  static Args Bind(const Attrs&, const Operands& o) {
    return {o.in[0], o.out[0], o.out[1], o.out[2], o.out[3], o.batch};
  }
  static Format Key(const Args& args) { return args.logits.format; }
  static Status Check(const Args& args);
  static void Reference(const Args& args);
};

}  // namespace rf
