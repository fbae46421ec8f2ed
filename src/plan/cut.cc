#include "plan/cut.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/check.h"

namespace rf {
namespace {

using Nodes = std::vector<Node>;

std::set<ValueId> ReadBy(const Nodes& nodes) {
  std::set<ValueId> values;
  for (const Node& node : nodes) values.insert(node.in.begin(), node.in.end());
  values.erase(-1);
  return values;
}

std::set<ValueId> NamedBy(const Nodes& nodes) {
  std::set<ValueId> values = ReadBy(nodes);
  for (const Node& node : nodes) values.insert(node.out.begin(), node.out.end());
  values.erase(-1);
  return values;
}

// They cost less than their copy would.
Nodes TablesFor(const Nodes& after, const Nodes& before) {
  const std::set<ValueId> read = ReadBy(after);
  Nodes tables;
  for (const Node& node : before) {
    if (std::holds_alternative<OpNode<RopeTable>>(node.op) && read.count(node.out[0]) > 0) tables.push_back(node);
  }
  return tables;
}

// Drops tables that nobody reads.
void DropUnreadTables(Nodes& nodes) {
  const std::set<ValueId> read = ReadBy(nodes);
  std::erase_if(nodes, [&read](const Node& node) {
    return std::holds_alternative<OpNode<RopeTable>>(node.op) && read.count(node.out[0]) == 0;
  });
}

// What `before` leaves for `after`, in ascending order.
std::vector<ValueId> Crossing(const Nodes& before, const Nodes& after, const Nodes& tables) {
  const std::set<ValueId> named = NamedBy(before);
  std::set<ValueId> crossing = ReadBy(after);
  std::erase_if(crossing, [&named](ValueId value) { return named.count(value) == 0; });
  for (const Node& table : tables) crossing.erase(table.out[0]);
  return {crossing.begin(), crossing.end()};
}

// A graph with these nodes, and of the layers in the KV cache only theirs.
Graph PartOf(const Graph& graph, const Nodes& nodes) {
  Graph part;
  part.values = graph.values;
  part.weights = graph.weights;
  part.constants = graph.constants;
  part.nodes = nodes;
  std::map<int32_t, int32_t> kv_layers;
  for (Node& node : part.nodes) {
    if (node.kv_layer < 0) continue;
    const auto [found, is_new] = kv_layers.try_emplace(node.kv_layer, static_cast<int32_t>(part.kv_layers.size()));
    if (is_new) part.kv_layers.push_back(graph.kv_layers[static_cast<size_t>(node.kv_layer)]);
    node.kv_layer = found->second;
  }
  return part;
}

}  // namespace

int32_t CountLayers(const Graph& graph) {
  int32_t n_layers = 0;
  for (const Node& node : graph.nodes) n_layers = std::max(n_layers, node.layer + 1);
  return n_layers;
}

std::pair<Graph, Graph> CutGraph(const Graph& graph, int32_t first_layer) {
  RF_CHECK(first_layer >= 0 && first_layer < CountLayers(graph));
  const auto cut = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                [first_layer](const Node& node) { return node.layer >= first_layer; });
  Nodes before(graph.nodes.begin(), cut);
  Nodes after(cut, graph.nodes.end());
  const Nodes tables = TablesFor(after, before);
  const std::vector<ValueId> crossing = Crossing(before, after, tables);
  after.insert(after.begin(), tables.begin(), tables.end());
  DropUnreadTables(before);

  std::pair<Graph, Graph> parts{PartOf(graph, before), PartOf(graph, after)};
  parts.first.outputs = crossing;
  parts.second.inputs = crossing;
  parts.second.logits = graph.logits;
  // A layer's cache cannot be in two places.
  RF_CHECK(parts.first.kv_layers.size() + parts.second.kv_layers.size() == graph.kv_layers.size());
  return parts;
}

}  // namespace rf
