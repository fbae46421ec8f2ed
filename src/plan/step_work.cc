#include "plan/step_work.h"

#include <algorithm>

#include "plan/arena.h"
#include "plan/plan_part.h"

namespace rf {
namespace {

int64_t RowsOf(const Value& value, const BatchSizes& batch) {
  return MaxRows(value, {batch.n_tokens, batch.n_outputs});
}

double ValueBytes(const Graph& graph, ValueId id, const BatchSizes& batch) {
  if (id < 0) return 0.0;
  const Value& value = graph.values[static_cast<size_t>(id)];
  return static_cast<double>(RowsOf(value, batch) * RowBytes(GetFormatInfo(value.format), value.n_cols));
}

// Of the positions of one sequence, those that its last tokens look at; and over all of these tokens the sum of what
// each looks at.
struct Seen {
  double positions = 0.0;
  double of_all_tokens = 0.0;
};

Seen SeenBy(const BatchSizes::Sequence& sequence, int32_t window) {
  const int64_t first = sequence.kv_length - sequence.n_tokens;
  Seen seen;
  for (int64_t t = 0; t < sequence.n_tokens; ++t) {
    const int64_t visible = first + t + 1;
    seen.of_all_tokens += static_cast<double>(window > 0 ? std::min<int64_t>(visible, window) : visible);
  }
  const int64_t all = sequence.kv_length;
  seen.positions = static_cast<double>(window > 0 ? std::min(all, window + sequence.n_tokens - 1) : all);
  return seen;
}

StepWork CacheWork(const Graph& graph, const Node& node, Format kv_format, const BatchSizes& batch) {
  const KvLayerSpec& layer = graph.kv_layers[static_cast<size_t>(node.kv_layer)];
  const auto of_position = static_cast<double>(KvPositionBytes(layer, kv_format));
  if (IdOf(node.op) == OpId::kKvStore) return {of_position * static_cast<double>(batch.n_tokens), 0.0};
  StepWork work;
  for (const BatchSizes::Sequence& sequence : batch.sequences) {
    const Seen seen = SeenBy(sequence, layer.window);
    work.bytes += seen.positions * of_position;
    // Scores and weighted values: two products of head_dim columns for each query head and position.
    const auto columns = static_cast<double>(graph.values[static_cast<size_t>(node.in[0])].n_cols);
    work.operations += 4.0 * columns * seen.of_all_tokens;
  }
  return work;
}

// Products have their weights first and every second operand after it; what lies between are biases.
bool IsMultiplied(OpId op, size_t operand) {
  return (op == OpId::kMatMul && operand % 2 == 0) || (op == OpId::kMoeMatMul && operand == 0);
}

StepWork WeightWork(const Graph& graph, const Node& node, size_t operand, const WeightSet& weights,
                    const BatchSizes& batch) {
  const OpId op = IdOf(node.op);
  const WeightRef& weight = graph.weights[static_cast<size_t>(node.weight[operand])];
  const uint64_t owned = weights.BytesOwned(node.weight[operand], op);
  const auto stored = static_cast<double>(owned > 0 ? owned : FileBytes(weight));
  const auto n_tokens = static_cast<double>(batch.n_tokens);
  if (op == OpId::kEmbed) return {std::min(n_tokens / static_cast<double>(weight.n_rows), 1.0) * stored, 0.0};
  StepWork work{stored, 0.0};
  const auto n_rows = static_cast<double>(RowsOf(graph.values[static_cast<size_t>(node.out[0])], batch));
  if (op == OpId::kMoeMatMul) work.bytes *= std::min(n_rows / static_cast<double>(weight.n_matrices), 1.0);
  if (IsMultiplied(op, operand)) work.operations = 2.0 * n_rows * static_cast<double>(weight.n_rows * weight.n_cols);
  return work;
}

}  // namespace

StepWork CountWork(const Graph& graph, const Node& node, const WeightSet& weights, Format kv_format,
                   const BatchSizes& batch) {
  StepWork work;
  for (const ValueId id : node.out) work.bytes += ValueBytes(graph, id, batch);
  if (IdOf(node.op) == OpId::kGatherRows) {
    work.bytes *= 2.0;  // of its input it reads those rows only
    return work;
  }
  for (const ValueId id : node.in) work.bytes += ValueBytes(graph, id, batch);
  for (size_t i = 0; i < node.weight.size(); ++i) {
    if (node.weight[i] >= 0) work += WeightWork(graph, node, i, weights, batch);
  }
  if (node.kv_layer >= 0) work += CacheWork(graph, node, kv_format, batch);
  return work;
}

}  // namespace rf
