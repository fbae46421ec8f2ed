#include "cpu/kernels/kv_rows.h"
#include "cpu/kernels/register.h"

namespace rf::cpu {
namespace {

template <typename RowType>
void Launch(void* context, const KvStore::Args& args) {
  const KvLayerView& kv = args.kv;
  ForEachRow(*static_cast<const CpuContext*>(context), args.k.n_rows, 2 * args.k.n_cols, [&](int64_t row) {
    const float* k = static_cast<const float*>(args.k.data) + row * args.k.row_stride;
    const float* v = static_cast<const float*>(args.v.data) + row * args.v.row_stride;
    const int32_t position = args.batch->positions[row];
    const int32_t page = PageOf(*args.batch, kv, args.batch->sequence_of[row], position);
    for (int32_t h = 0; h < kv.n_kv_heads; ++h) {
      const int32_t slot = position % kv.page_tokens;
      RowType::Write(k + static_cast<int64_t>(h) * kv.head_dim,
                     const_cast<void*>(KvRow<RowType>(kv, kv.k, page, h, slot)), kv.head_dim);
      RowType::Write(v + static_cast<int64_t>(h) * kv.head_dim,
                     const_cast<void*>(KvRow<RowType>(kv, kv.v, page, h, slot)), kv.head_dim);
    }
  });
}

template <typename RowType>
void Set(KernelTable& table, const char* name) {
  table.kv_store.Set(RowType::kFormat, {Launch<RowType>, nullptr, name});
}

}  // namespace

void RF_ISA::RegisterKvStore(KernelTable& table) {
  Set<RowF32>(table, RF_KERNEL_NAME("kv_store_f32"));
  Set<RowF16>(table, RF_KERNEL_NAME("kv_store_f16"));
  Set<RowBF16>(table, RF_KERNEL_NAME("kv_store_bf16"));
  Set<RowQ8_0>(table, RF_KERNEL_NAME("kv_store_q8_0"));
  Set<RowQ4_0>(table, RF_KERNEL_NAME("kv_store_q4_0"));
}

}  // namespace rf::cpu
