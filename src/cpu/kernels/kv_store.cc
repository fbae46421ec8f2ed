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
                     const_cast<void*>(KvRowAt<RowType>(kv, kv.k, page, h, slot)), kv.head_dim);
      RowType::Write(v + static_cast<int64_t>(h) * kv.head_dim,
                     const_cast<void*>(KvRowAt<RowType>(kv, kv.v, page, h, slot)), kv.head_dim);
    }
  });
}

}  // namespace

void RF_ISA::RegisterKvStore(KernelTable& table) {
#define RF_KV_FORMAT(Name, header) \
  table.kv_store.Set(Format::k##Name, {Launch<KvRow<Block##Name>>, nullptr, RF_KERNEL_NAME("kv_store_" #Name)});
#include "ops/kv_formats.def"
#undef RF_KV_FORMAT
}

}  // namespace rf::cpu
