// Which device runs the plan, and why not the others.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "device/device.h"
#include "plan/plan.h"

namespace rf {

/// The first op of a (fused or unfused) graph that the device has no kernel for, in words; nothing if it has all.
std::optional<std::string> FindMissingKernel(const Graph& graph, const Device& device, Format kv_format);

struct Placement {
  Device* device;
  std::string reason;
};

/// The first device that has a kernel for every op of the graph and memory for all that the plan would reserve on it,
/// as EstimateMemory counts it: weights that it reads from a mapped file (`is_mapped`) need none, packed ones do.
/// Errors: kUnsupported or kOutOfMemory; the message gives each device's reason and, for memory, the largest context
/// (or number of KV positions, if that was asked for) that fits on one of them.
Result<Placement> PlaceGraph(const Graph& graph, std::span<Device* const> devices, const PlanOptions& options,
                             bool is_mapped);

}  // namespace rf
