#include "plan/best_of_logits.h"

#include <algorithm>

namespace rf {

void AppendBestOfLogits(Graph& graph, const Device& device) {
  const bool has_kernel = device.kernels().best_logits.Get(Format::kF32).launch != nullptr;
  if (graph.logits < 0 || device.properties().is_host_memory || !has_kernel) return;
  const int64_t n_vocab = graph.values[static_cast<size_t>(graph.logits)].n_cols;
  const int64_t k = std::min(n_vocab, BestLogits::kMostBest);
  graph.best.ids = graph.AddValue({RowKind::kOutputs, 1, k, Format::kI32});
  graph.best.values = graph.AddValue({RowKind::kOutputs, 1, k, Format::kF32});
  graph.best.sums = graph.AddValue({RowKind::kOutputs, 1, BestLogits::PartsOf(n_vocab), Format::kF32});
  Node node;
  node.op = OpNode<BestLogits>{};
  node.in[0] = graph.logits;
  node.out = {graph.best.ids, graph.best.values, graph.best.sums, graph.logits};
  graph.nodes.push_back(node);
}

}  // namespace rf
