#include "ops/rope.h"

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {

Status Rope::Check(const Args& args) {
  const Attrs& a = args.attrs;
  RF_RETURN_IF_ERROR(CheckThat(a.rope_dim > 0 && a.rope_dim % 2 == 0 && a.rope_dim <= a.head_dim, "rope",
                               "rope_dim must be even and at most head_dim"));
  RF_RETURN_IF_ERROR(CheckTensor("rope", "x", args.x, {-1, static_cast<int64_t>(a.n_heads) * a.head_dim}));
  if (args.second.data != nullptr) {
    RF_RETURN_IF_ERROR(CheckTensor("rope", "second", args.second, {args.x.n_rows, -1}));
    RF_RETURN_IF_ERROR(CheckThat(args.second.n_cols % a.head_dim == 0, "rope", "second must have whole heads"));
  }
  return CheckTensor("rope", "table", args.table, {args.x.n_rows, a.rope_dim});
}

namespace {

void RotateHead(const Rope::Attrs& attrs, const float* table, float* x) {
  const int half = attrs.rope_dim / 2;
  const bool is_adjacent = attrs.pairing == RopePairing::kAdjacent;
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

void RotateHeads(const Rope::Attrs& attrs, const TensorView& table, const TensorView& x) {
  for (int64_t t = 0; t < x.n_rows; ++t) {
    for (int64_t column = 0; column < x.n_cols; column += attrs.head_dim) {
      RotateHead(attrs, Row(table, t), Row(x, t) + column);
    }
  }
}

}  // namespace

void Rope::Reference(const Args& args) {
  RotateHeads(args.attrs, args.table, args.x);
  if (args.second.data != nullptr) RotateHeads(args.attrs, args.table, args.second);
}

}  // namespace rf
