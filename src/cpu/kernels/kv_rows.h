// Conversion between F32 and the KV cache's formats, one head's row at a time.
#pragma once

#include <cstring>

#include "cpu/simd/vec.h"
#include "ops/all_kv_formats.h"  // written by ops/CMakeLists.txt from kv_formats.def
#include "ops/tensor.h"

namespace rf::cpu {
namespace {

/// A row of any format, block by block.
template <typename Block>
struct KvRow {
  static constexpr int64_t Bytes(int64_t n) { return n / Block::kElements * static_cast<int64_t>(sizeof(Block)); }
  static void Read(const void* from, float* to, int64_t n) {
    const auto* block = static_cast<const Block*>(from);
    for (int64_t i = 0; i < n; i += Block::kElements) Unpack(*block++, to + i);
  }
  static void Write(const float* from, void* to, int64_t n) {
    auto* block = static_cast<Block*>(to);
    for (int64_t i = 0; i < n; i += Block::kElements) Pack(from + i, block++);
  }
};

template <>
struct KvRow<BlockF32> {
  static constexpr int64_t Bytes(int64_t n) { return n * 4; }
  static void Read(const void* from, float* to, int64_t n) { memcpy(to, from, static_cast<size_t>(n) * 4); }
  static void Write(const float* from, void* to, int64_t n) { memcpy(to, from, static_cast<size_t>(n) * 4); }
};

template <>
struct KvRow<BlockF16> {
  static constexpr int64_t Bytes(int64_t n) { return n * 2; }
  static void Read(const void* from, float* to, int64_t n) { HalfsToFloats(static_cast<const uint16_t*>(from), to, n); }
  static void Write(const float* from, void* to, int64_t n) { FloatsToHalfs(from, static_cast<uint16_t*>(to), n); }
};

/// Address of one head's row of K or V.
template <typename RowType>
const void* KvRowAt(const KvLayerView& kv, const void* half, int32_t page, int32_t head, int32_t slot) {
  const int64_t index = (static_cast<int64_t>(page) * kv.n_kv_heads + head) * kv.page_tokens + slot;
  return static_cast<const char*>(half) + index * RowType::Bytes(kv.head_dim);
}

/// The page of position `position` of a sequence of the batch.
[[maybe_unused]] static inline int32_t PageOf(const BatchView& batch, const KvLayerView& kv, int32_t sequence,
                                              int32_t position) {
  return batch.page_table[static_cast<int64_t>(sequence) * batch.page_table_stride + position / kv.page_tokens];
}

}  // namespace
}  // namespace rf::cpu
