#include <math.h>

#include "cpu/kernels/register.h"

namespace rf::cpu {
namespace {

// Once per step, so the C library's exact sine and cosine are fast enough.
void Launch(void* context, const RopeTable::Args& args) {
  const auto* f = static_cast<const float*>(args.frequencies.data);
  constexpr int64_t kCost = 32;  // a sine costs about as much as so many multiplications
  ForEachRow(*static_cast<const CpuContext*>(context), args.table.n_rows, args.table.n_cols * kCost, [&](int64_t row) {
    float* table = static_cast<float*>(args.table.data) + row * args.table.row_stride;
    const double position = args.batch->positions[row];
    for (int64_t j = 0; j < args.table.n_cols / 2; ++j) {
      const double angle = position * f[j];
      table[2 * j] = static_cast<float>(args.attrs.magnitude * cos(angle));
      table[2 * j + 1] = static_cast<float>(args.attrs.magnitude * sin(angle));
    }
  });
}

}  // namespace

void RF_ISA::RegisterRopeTable(KernelTable& table) {
  table.rope_table.Set(Format::kF32, {Launch, nullptr, RF_KERNEL_NAME("rope_table")});
}

}  // namespace rf::cpu
