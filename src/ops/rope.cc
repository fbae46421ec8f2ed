#include "ops/rope.h"

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {

Status Rope::Check(const Args& args) {
  const Attrs& a = args.attrs;
  RF_RETURN_IF_ERROR(CheckThat(a.rope_dim > 0 && a.rope_dim % 2 == 0 && a.rope_dim <= a.head_dim, "rope",
                               "rope_dim must be even and at most head_dim"));
  RF_RETURN_IF_ERROR(CheckTensor("rope", "x", args.x, {-1, static_cast<int64_t>(a.n_heads) * a.head_dim}));
  return CheckTensor("rope", "table", args.table, {args.x.n_rows, a.rope_dim});
}

void Rope::Reference(const Args& args) {
  const Attrs& attrs = args.attrs;
  const int half = attrs.rope_dim / 2;
  const bool is_adjacent = attrs.pairing == RopePairing::kAdjacent;
  for (int64_t t = 0; t < args.x.n_rows; ++t) {
    const float* table = Row(args.table, t);
    for (int h = 0; h < attrs.n_heads; ++h) {
      float* x = Row(args.x, t) + static_cast<int64_t>(h) * attrs.head_dim;
      for (int j = 0; j < half; ++j) {
        float& a = x[is_adjacent ? 2 * j : j];
        float& b = x[is_adjacent ? 2 * j + 1 : j + half];
        const double cosine = table[2 * j];
        const double sine = table[2 * j + 1];
        const double rotated_a = a * cosine - b * sine;
        b = static_cast<float>(a * sine + b * cosine);
        a = static_cast<float>(rotated_a);
      }
    }
  }
}

}  // namespace rf
