// Which device runs the plan, and why not the others.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "device/device.h"
#include "plan/plan.h"

namespace rf {

struct Placement {
  Device* device;
  std::string reason;
};

/// The first device that has a kernel for every op of the graph and memory for weights, KV cache and activations.
/// Errors: kUnsupported or kOutOfMemory; the message gives each device's reason and, for memory, the largest context
/// that fits.
Result<Placement> PlaceGraph(const Graph& graph, std::span<Device* const> devices, const PlanOptions& options);

}  // namespace rf
