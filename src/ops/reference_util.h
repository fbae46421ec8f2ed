// What the ops' references share. Slow and plain on purpose.
#pragma once

#include <vector>

#include "ops/tensor.h"

namespace rf {

inline float* Row(const TensorView& tensor, int64_t row) {
  return static_cast<float*>(tensor.data) + row * tensor.row_stride;
}

/// Row `row` of matrix `matrix`, unpacked. REQUIRES: the file's layout, a format that can be unpacked.
void UnpackWeightRow(const WeightView& weight, int64_t matrix, int64_t row, float* out);

/// All elements of an F32 vector weight.
inline const float* Vector(const WeightView& weight) {
  return static_cast<const float*>(weight.data);
}

/// The bytes of head_dim elements at one position in the cache's K or V.
void* KvSlot(const KvLayerView& kv, void* half, int32_t page, int32_t head, int32_t slot);

/// The page that holds position `position` of sequence `sequence`.
inline int32_t PageOf(const BatchView& batch, const KvLayerView& kv, int32_t sequence, int32_t position) {
  return batch.page_table[sequence * batch.page_table_stride + position / kv.page_tokens];
}

}  // namespace rf
