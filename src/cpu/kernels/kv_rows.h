// Conversion between F32 and the KV cache's formats, one head's row at a time.
#pragma once

#include <cstring>

#include "cpu/simd/vec.h"
#include "ops/tensor.h"
#include "quant/q4_0.h"
#include "quant/q8_0.h"

namespace rf::cpu {
namespace {

struct RowF32 {
  static constexpr Format kFormat = Format::kF32;
  static constexpr int64_t Bytes(int64_t n) { return n * 4; }
  static void Read(const void* from, float* to, int64_t n) { memcpy(to, from, static_cast<size_t>(n) * 4); }
  static void Write(const float* from, void* to, int64_t n) { memcpy(to, from, static_cast<size_t>(n) * 4); }
};

struct RowF16 {
  static constexpr Format kFormat = Format::kF16;
  static constexpr int64_t Bytes(int64_t n) { return n * 2; }
  static void Read(const void* from, float* to, int64_t n) { HalfsToFloats(static_cast<const uint16_t*>(from), to, n); }
  static void Write(const float* from, void* to, int64_t n) { FloatsToHalfs(from, static_cast<uint16_t*>(to), n); }
};

struct RowBF16 {
  static constexpr Format kFormat = Format::kBF16;
  static constexpr int64_t Bytes(int64_t n) { return n * 2; }
  static void Read(const void* from, float* to, int64_t n) {
    const auto* bits = static_cast<const uint16_t*>(from);
    for (int64_t i = 0; i < n; ++i) to[i] = Bf16ToFloat(bits[i]);
  }
  static void Write(const float* from, void* to, int64_t n) {
    auto* bits = static_cast<uint16_t*>(to);
    for (int64_t i = 0; i < n; ++i) bits[i] = FloatToBf16(from[i]);
  }
};

template <typename Block, Format kBlockFormat>
struct RowOfBlocks {
  static constexpr Format kFormat = kBlockFormat;
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

using RowQ8_0 = RowOfBlocks<BlockQ8_0, Format::kQ8_0>;
using RowQ4_0 = RowOfBlocks<BlockQ4_0, Format::kQ4_0>;

/// Address of one head's row of K or V.
template <typename RowType>
const void* KvRow(const KvLayerView& kv, const void* half, int32_t page, int32_t head, int32_t slot) {
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
