// What every op's Bind() receives: the step's tensors in the order that the op's header documents.
#pragma once

#include "ops/tensor.h"

namespace rf {

template <typename T>
class Result;
using Status = Result<void>;

/// Operands of one step. Absent optional operands have data == nullptr.
struct Operands {
  static constexpr int kMaxInputs = 4;
  static constexpr int kMaxOutputs = 3;
  static constexpr int kMaxWeights = 6;

  TensorView in[kMaxInputs] = {};
  TensorView out[kMaxOutputs] = {};
  WeightView weight[kMaxWeights] = {};
  const BatchView* batch = nullptr;  ///< never null while a step runs
  const KvLayerView* kv = nullptr;   ///< only for ops that touch the cache
};

}  // namespace rf
