// The choice of the best logits at the end of a plan, so that a GPU need not give whole rows.
#pragma once

#include "device/device.h"
#include "model/graph.h"

namespace rf {

/// Appends BestLogits to a graph that ends in logits, and sets graph.best: if the device's memory is not the host's,
/// where whole rows are at hand, and the device has the kernel.
void AppendBestOfLogits(Graph& graph, const Device& device);

}  // namespace rf
