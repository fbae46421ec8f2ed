// How kernels find their way in tensors, weights and the cache.
#pragma once

#include "hip/kernels/gpu.h"
#include "ops/tensor.h"

namespace rf::hip {
namespace {

RF_DEVICE float* RowOf(const TensorView& tensor, int64_t row) {
  return static_cast<float*>(tensor.data) + row * tensor.row_stride;
}

/// The blocks of row `row` of matrix `matrix`.
template <typename Block>
RF_DEVICE const Block* BlocksOf(const WeightView& weight, int64_t row, int64_t matrix = 0) {
  const int64_t n_blocks = weight.n_cols / Block::kElements;
  return static_cast<const Block*>(weight.data) + (matrix * weight.n_rows + row) * n_blocks;
}

/// Which row of K or V one head at one position of a page is.
RF_DEVICE int64_t CacheRowIndex(const KvLayerView& kv, int page, int head, int slot) {
  return (static_cast<int64_t>(page) * kv.n_kv_heads + head) * kv.page_tokens + slot;
}

/// Its blocks.
template <typename Block>
RF_DEVICE Block* CacheRow(const KvLayerView& kv, void* half, int page, int head, int slot) {
  return static_cast<Block*>(half) + CacheRowIndex(kv, page, head, slot) * (kv.head_dim / Block::kElements);
}

/// The page that holds a position of a sequence of the batch.
RF_DEVICE int PageOf(const BatchView& batch, const KvLayerView& kv, int sequence, int position) {
  return batch.page_table[static_cast<int64_t>(sequence) * batch.page_table_stride + position / kv.page_tokens];
}

/// A stretch of a row: what one block of an element-wise kernel computes, thread by thread. Rows are cut into
/// stretches so that one long row keeps many processors busy.
struct Stretch {
  int64_t row;
  int begin;
  int end;
};

inline constexpr int kStretchThreads = 256;
inline constexpr int kStretchElements = 4 * kStretchThreads;

inline dim3 StretchesOf(int64_t n_rows, int64_t n_cols) {
  return dim3(static_cast<uint32_t>(n_rows * CeilDivide(n_cols, kStretchElements)));
}

RF_DEVICE Stretch StretchOfBlock(int64_t n_cols) {
  const auto n = static_cast<int>(n_cols);
  const int per_row = (n + kStretchElements - 1) / kStretchElements;
  const auto block = static_cast<int>(blockIdx.x);
  const int begin = block % per_row * kStretchElements;
  return {block / per_row, begin, n - begin < kStretchElements ? n : begin + kStretchElements};
}

}  // namespace
}  // namespace rf::hip
