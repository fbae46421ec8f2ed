#include "ops/reference_util.h"

#include <cstddef>

#include "base/check.h"

namespace rf {

void UnpackWeightRow(const WeightView& weight, int64_t matrix, int64_t row, float* out) {
  const FormatInfo& info = GetFormatInfo(weight.format);
  RF_CHECK(weight.layout == kFileLayout);
  const int64_t row_bytes = RowBytes(info, weight.n_cols);
  const auto* base = static_cast<const std::byte*>(weight.data) + (matrix * weight.n_rows + row) * row_bytes;
  info.unpack(base, weight.n_cols, out);
}

void* KvSlot(const KvLayerView& kv, void* half, int32_t page, int32_t head, int32_t slot) {
  const int64_t row_bytes = RowBytes(GetFormatInfo(kv.format), kv.head_dim);
  const int64_t index = (static_cast<int64_t>(page) * kv.n_kv_heads + head) * kv.page_tokens + slot;
  return static_cast<std::byte*>(half) + index * row_bytes;
}

}  // namespace rf
