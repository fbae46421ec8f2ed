// Column counts for weights of any format.
#pragma once

#include <vector>

#include "conformance/run.h"
#include "quant/format.h"

namespace rf::conformance {

/// A few blocks.
inline int64_t FewColumns(Format format) {
  const int64_t block = GetFormatInfo(format).block_elements;
  return block == 1 ? 71 : block < 128 ? 3 * block : block;
}

/// Columns that kernels take in several stretches, the last one shorter.
inline int64_t ManyColumns(Format format) {
  const int64_t block = GetFormatInfo(format).block_elements;
  return block == 1 ? 1033 : (1024 / block + 1) * block;
}

/// Quantized weights may meet activations of 16 bits, plain ones meet F32; short ones may meet halves on GPUs.
inline double ProductBound(Format format) {
  if (format == Format::kF16 || format == Format::kBF16) return kShortFloatsBound;
  return GetFormatInfo(format).block_elements == 1 ? 1e-9 : kQuantizedBound;
}

}  // namespace rf::conformance
