#include <cstring>

#include "cpu/kernels/register.h"

namespace rf::cpu {
namespace {

void Launch(void*, const GatherRows::Args& args) {
  for (int64_t i = 0; i < args.y.n_rows; ++i) {
    memcpy(static_cast<float*>(args.y.data) + i * args.y.row_stride,
           static_cast<const float*>(args.x.data) + args.batch->output_rows[i] * args.x.row_stride,
           static_cast<size_t>(args.y.n_cols) * sizeof(float));
  }
}

}  // namespace

void RF_ISA::RegisterGatherRows(KernelTable& table) {
  table.gather_rows.Set(Format::kF32, {Launch, nullptr, RF_KERNEL_NAME("gather_rows")});
}

}  // namespace rf::cpu
