// Where tensors of a plan begin.
#pragma once

#include <cstdint>

namespace rf {

/// Bytes. The start of every activation and of every part of a KV cache: what wide loads and a GPU's copies want.
inline constexpr uint64_t kTensorAlignment = 256;

constexpr uint64_t AlignUp(uint64_t bytes) {
  return (bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
}

}  // namespace rf
