// What a plan will need, before anything of it exists.
#pragma once

#include "base/result.h"
#include "device/device.h"
#include "model/graph.h"
#include "plan/plan_options.h"

namespace rf {

/// The memory of the plan for a graph (fused or not, or a part of one) that is wholly on `device`: made by the same
/// code, on a device that reserves addresses where the real one reserves memory, so that no weight is read and the plan
/// may be larger than the machine. `is_mapped`: the weights will be read from a mapped file. Errors: kUnsupported (a
/// missing kernel), kOutOfMemory (not even the addresses).
Result<MemoryPlan> EstimateMemory(const Graph& graph, Device& device, const PlanOptions& options, bool is_mapped);

}  // namespace rf
