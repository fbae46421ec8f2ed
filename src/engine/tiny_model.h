// A model of one layer that needs no file: every op of a dense model once, with random weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/graph.h"
#include "plan/weights.h"

namespace rf {

class TinyModel {
 public:
  static constexpr int32_t kVocab = 64;

  TinyModel();

  const Graph& graph() const { return graph_; }
  /// The model must outlive it, and what was loaded with it.
  TensorReader Reader() const;

 private:
  ValueId AddValue(RowKind rows, int64_t n_cols) { return graph_.AddValue({rows, 1, n_cols, Format::kF32}); }
  Node& AddNode(const AnyOp& op, int32_t layer);
  WeightId AddMatrix(Format format, int64_t n_rows, int64_t n_cols);
  ValueId AddNorm(ValueId x, int32_t layer);
  std::vector<ValueId> Multiply(ValueId x, Format format, std::vector<int64_t> n_outputs, int32_t layer);
  ValueId AddSum(ValueId a, ValueId b);
  ValueId AddAttention(ValueId x);
  ValueId AddFeedForward(ValueId x);

  Graph graph_;
  std::vector<std::vector<std::byte>> tensors_;
};

}  // namespace rf
