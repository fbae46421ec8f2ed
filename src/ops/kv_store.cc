#include "ops/kv_store.h"

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {

Status KvStore::Check(const Args& args) {
  RF_RETURN_IF_ERROR(CheckKv("kv_store", args.kv));
  const WantedShape shape{args.batch->n_tokens, static_cast<int64_t>(args.kv.n_kv_heads) * args.kv.head_dim};
  RF_RETURN_IF_ERROR(CheckTensor("kv_store", "k", args.k, shape));
  return CheckTensor("kv_store", "v", args.v, shape);
}

void KvStore::Reference(const Args& args) {
  const KvLayerView& kv = args.kv;
  const PackRowFn pack = GetFormatInfo(kv.format).pack;
  for (int64_t t = 0; t < args.k.n_rows; ++t) {
    const int32_t position = args.batch->positions[t];
    const int32_t page = PageOf(*args.batch, kv, args.batch->sequence_of[t], position);
    for (int32_t h = 0; h < kv.n_kv_heads; ++h) {
      const int64_t begin = static_cast<int64_t>(h) * kv.head_dim;
      pack(Row(args.k, t) + begin, kv.head_dim, KvSlot(kv, kv.k, page, h, position % kv.page_tokens));
      pack(Row(args.v, t) + begin, kv.head_dim, KvSlot(kv, kv.v, page, h, position % kv.page_tokens));
    }
  }
}

}  // namespace rf
