// A model's graph in two parts, for two devices.
#pragma once

#include <cstdint>
#include <utility>

#include "model/graph.h"

namespace rf {

/// Layers of a graph.
int32_t CountLayers(const Graph& graph);

/// The graph before layer `first_layer`, and the graph from it on; with 0 the first part is what comes before the
/// layers, which is the embedding. Values keep their numbers; those that the second part reads of the first are its
/// inputs, but for tables of rotations, which it makes itself. REQUIRES: a layer of the graph.
std::pair<Graph, Graph> CutGraph(const Graph& graph, int32_t first_layer);

}  // namespace rf
