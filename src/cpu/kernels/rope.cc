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

void Launch(void* context, const Rope::Args& args) {
  const Rope::Attrs& attrs = args.attrs;
  const auto rotate = attrs.pairing == RopePairing::kAdjacent ? RotateAdjacent : RotateHalves;
  ForEachRow(*static_cast<const CpuContext*>(context), args.x.n_rows, args.x.n_cols, [&](int64_t row) {
    float* x = static_cast<float*>(args.x.data) + row * args.x.row_stride;
    const float* table = static_cast<const float*>(args.table.data) + row * args.table.row_stride;
    for (int32_t h = 0; h < attrs.n_heads; ++h)
      rotate(x + static_cast<int64_t>(h) * attrs.head_dim, table, attrs.rope_dim);
  });
}

}  // namespace

void RF_ISA::RegisterRope(KernelTable& table) {
  table.rope.Set(Format::kF32, {Launch, nullptr, RF_KERNEL_NAME("rope")});
}

}  // namespace rf::cpu
