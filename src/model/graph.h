// A model's computation as data: ops over values and weights, in execution order. Written once by model/arch +
// model/blocks, read by plan/. Knows no device, no address and no batch.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ops/op_list.h"

namespace rf {

using ValueId = int32_t;   ///< index into Graph::values; -1: absent
using WeightId = int32_t;  ///< index into Graph::weights; -1: absent

/// How many rows a value has in a step.
enum class RowKind : uint8_t {
  kTokens,   ///< rows_per_token rows for each token of the batch
  kOutputs,  ///< one row for each token whose logits are wanted
};

/// An activation.
struct Value {
  RowKind rows = RowKind::kTokens;
  int32_t rows_per_token = 1;
  int64_t n_cols = 0;
  Format format = Format::kF32;
};

/// A weight: rows [first_row, first_row + n_rows) of a tensor of the file, or a constant computed at load.
struct WeightRef {
  int32_t tensor = -1;    ///< index into the file's tensors; -1: a constant
  int32_t constant = -1;  ///< index into Graph::constants
  Format format = Format::kF32;
  int64_t n_matrices = 1;
  int64_t first_row = 0;
  int64_t n_rows = 0;
  int64_t n_cols = 0;
};

/// One op. Operand order is documented in the op's header.
struct Node {
  AnyOp op;
  int32_t layer = -1;  ///< -1 before the first and after the last layer
  std::array<ValueId, Operands::kMaxInputs> in;
  std::array<ValueId, Operands::kMaxOutputs> out;
  std::array<WeightId, Operands::kMaxWeights> weight;
  int32_t kv_layer = -1;  ///< index into Graph::kv_layers for ops that touch the cache

  Node() { in.fill(-1), out.fill(-1), weight.fill(-1); }
};

/// What one layer keeps in the KV cache.
struct KvLayerSpec {
  int32_t n_kv_heads = 0;
  int32_t head_dim = 0;
  int32_t window = 0;  ///< positions that are still looked at; 0: all
};

struct Graph {
  std::vector<Value> values;
  std::vector<WeightRef> weights;
  std::vector<std::vector<float>> constants;
  std::vector<Node> nodes;
  std::vector<KvLayerSpec> kv_layers;
  ValueId logits = -1;  ///< [n_outputs, n_vocab] F32; -1: in a part of a model that ends before
  /// What BestLogits makes of the logits; -1: the op is not there. The plan adds it for a GPU.
  struct Best {
    ValueId ids = -1;
    ValueId values = -1;
    ValueId sums = -1;
  };
  Best best;
  // Of a part of a model:
  std::vector<ValueId> inputs;   ///< made by the part before it
  std::vector<ValueId> outputs;  ///< read by the part after it

  ValueId AddValue(const Value& value) {
    values.push_back(value);
    return static_cast<ValueId>(values.size() - 1);
  }
  WeightId AddWeight(const WeightRef& weight) {
    weights.push_back(weight);
    return static_cast<WeightId>(weights.size() - 1);
  }
  /// A [1, values.size()] F32 weight that lives in the graph.
  WeightId AddConstant(std::vector<float> data) {
    WeightRef ref;
    ref.constant = static_cast<int32_t>(constants.size());
    ref.n_rows = 1;
    ref.n_cols = static_cast<int64_t>(data.size());
    constants.push_back(std::move(data));
    return AddWeight(ref);
  }
};

}  // namespace rf
