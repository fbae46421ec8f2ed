#include <algorithm>
#include <vector>

#include "plan/fusion/passes.h"

namespace rf {
namespace {

// How often each value is read, counting the logits and a part's outputs as read by the caller.
std::vector<int> CountReads(const Graph& graph) {
  std::vector<int> reads(graph.values.size(), 0);
  for (const Node& node : graph.nodes) {
    for (ValueId value : node.in) {
      if (value >= 0) ++reads[value];
    }
  }
  for (ValueId value : graph.outputs) ++reads[value];
  if (graph.logits >= 0) ++reads[graph.logits];
  return reads;
}

bool IsPlainMatMul(const Node& node) {
  const auto* matmul = std::get_if<OpNode<MatMul>>(&node.op);
  return matmul != nullptr && matmul->attrs.n_parts == 1 && node.in[1] < 0;
}

// The node right before `add` in execution order that made `value`, if it may take the residual; null otherwise. Only
// the nearest writer counts, so that values written more than once stay in order.
Node* FindProducer(std::vector<Node>& nodes, int add, ValueId value, ValueId residual) {
  for (int i = add - 1; i >= 0; --i) {
    if (nodes[i].out[0] == value) return IsPlainMatMul(nodes[i]) ? &nodes[i] : nullptr;
    // The residual must already exist when the product is made.
    if (std::find(nodes[i].out.begin(), nodes[i].out.end(), residual) != nodes[i].out.end()) return nullptr;
  }
  return nullptr;
}

bool TryFuse(Graph& graph, int add, const std::vector<int>& reads, int product_operand) {
  const ValueId product = graph.nodes[add].in[product_operand];
  const ValueId residual = graph.nodes[add].in[1 - product_operand];
  if (product == residual || reads[product] != 1) return false;
  Node* producer = FindProducer(graph.nodes, add, product, residual);
  if (producer == nullptr) return false;
  producer->in[1] = residual;
  producer->out[0] = graph.nodes[add].out[0];
  graph.nodes.erase(graph.nodes.begin() + add);
  return true;
}

}  // namespace

void FuseResidual(Graph& graph) {
  const std::vector<int> reads = CountReads(graph);
  for (int i = static_cast<int>(graph.nodes.size()) - 1; i >= 0; --i) {
    if (!std::holds_alternative<OpNode<Add>>(graph.nodes[i].op)) continue;
    if (!TryFuse(graph, i, reads, 1)) TryFuse(graph, i, reads, 0);
  }
}

}  // namespace rf
