// Fusion passes: each rewrites a graph into one with the same results and fewer or cheaper ops. One file each;
// RunFusionPasses calls them in the order of the list in passes.cc.
#pragma once

#include "model/graph.h"

namespace rf {

/// Add(h, MatMul(x)) becomes MatMul with residual h, where nothing else reads the product.
void FuseResidual(Graph& graph);

/// All passes, in order.
void RunFusionPasses(Graph& graph);

}  // namespace rf
