// What the ops' Check() functions share.
#pragma once

#include <string_view>

#include "base/result.h"
#include "ops/tensor.h"

namespace rf {

/// An operand's wanted rows and columns; -1 accepts any.
struct WantedShape {
  int64_t n_rows = -1;
  int64_t n_cols = -1;
};

/// Errors: kInvalidArgument "op: operand is [2, 8] F32, expected [2, 16] F32".
Status CheckTensor(std::string_view op, std::string_view operand, const TensorView& tensor, const WantedShape& wanted,
                   Format format = Format::kF32);

/// As CheckTensor for a weight of any format; n_cols must be a multiple of the format's block.
Status CheckWeight(std::string_view op, std::string_view operand, const WeightView& weight, const WantedShape& wanted);

/// As CheckWeight for a vector [1, n] or [n, 1] of F32.
Status CheckVector(std::string_view op, std::string_view operand, const WeightView& weight, int64_t n);

/// Errors: kUnsupported unless the cache's format and head_dim go together. REQUIRES: n_heads * head_dim columns in k,
/// v.
Status CheckKv(std::string_view op, const KvLayerView& kv);

/// Errors: kInvalidArgument "op: detail" unless `condition`.
Status CheckThat(bool condition, std::string_view op, std::string_view detail);

}  // namespace rf
