#include "cpu/kernels/register.h"

namespace rf::cpu {
namespace {

// Plain loops: the compiler vectorizes both, each element's arithmetic is the same in every lane.
void RotateAdjacent(float* __restrict x, const float* __restrict table, int32_t rope_dim) {
  for (int32_t j = 0; j < rope_dim; j += 2) {
    const float a = x[j];
    const float b = x[j + 1];
    x[j] = a * table[j] - b * table[j + 1];
    x[j + 1] = a * table[j + 1] + b * table[j];
  }
}

void RotateHalves(float* __restrict x, const float* __restrict table, int32_t rope_dim) {
  const int32_t half = rope_dim / 2;
  for (int32_t j = 0; j < half; ++j) {
    const float a = x[j];
    const float b = x[j + half];
    x[j] = a * table[2 * j] - b * table[2 * j + 1];
    x[j + half] = a * table[2 * j + 1] + b * table[2 * j];
  }
}

void RotateRow(const Rope::Attrs& attrs, const TensorView& tensor, int64_t row, const float* table) {
  const auto rotate = attrs.pairing == RopePairing::kAdjacent ? RotateAdjacent : RotateHalves;
  float* x = static_cast<float*>(tensor.data) + row * tensor.row_stride;
  for (int64_t column = 0; column < tensor.n_cols; column += attrs.head_dim) rotate(x + column, table, attrs.rope_dim);
}

void Launch(void* context, const Rope::Args& args) {
  const int64_t n_cols = args.x.n_cols + args.second.n_cols;
  ForEachRow(*static_cast<const CpuContext*>(context), args.x.n_rows, n_cols, [&](int64_t row) {
    const float* table = static_cast<const float*>(args.table.data) + row * args.table.row_stride;
    RotateRow(args.attrs, args.x, row, table);
    if (args.second.data != nullptr) RotateRow(args.attrs, args.second, row, table);
  });
}

}  // namespace

void RF_ISA::RegisterRope(KernelTable& table) {
  table.rope.Set(Format::kF32, {Launch, nullptr, RF_KERNEL_NAME("rope")});
}

}  // namespace rf::cpu
