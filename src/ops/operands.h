// What every op's Bind() receives: the step's tensors in the order that the op's header documents.
#pragma once

#include "ops/tensor.h"

namespace rf {

template <typename T>
class Result;
using Status = Result<void>;

/// What chooses an op's kernel: the format that Op::Key() returns is that of
enum class KeyKind {
  kActivation,  ///< its activations: F32
  kWeight,      ///< its first weight: any format
  kCache,       ///< the KV cache: one of ops/kv_formats.def
};

/// Operands of one step. Absent optional operands have data == nullptr.
struct Operands {
  static constexpr int kMaxInputs = 4;
  static constexpr int kMaxOutputs = 4;
  static constexpr int kMaxWeights = 6;

  TensorView in[kMaxInputs] = {};
  TensorView out[kMaxOutputs] = {};
  WeightView weight[kMaxWeights] = {};
  const BatchView* batch = nullptr;  ///< never null while a step runs
  const KvLayerView* kv = nullptr;   ///< only for ops that touch the cache
};

}  // namespace rf
