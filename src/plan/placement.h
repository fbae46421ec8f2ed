// Which devices run the plan, and why not the others.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "plan/plan_options.h"
#include "plan/plan_part.h"
#include "plan/refusal.h"

namespace rf {

/// The parts of a plan in the order in which they run: one, or one on the CPU and one on a GPU.
using Placement = std::vector<PartPlacement>;

/// The CPU is the last device, if that is one with the host's memory; those before it are GPUs. With
/// options.gpu_layers, so many of the last layers go to the first GPU that has room for them, or none. Without,
/// everything goes to the first device that has a kernel for every op and memory for all that the plan would reserve on
/// it, as EstimateMemory counts it (weights that are read from a mapped file, `is_mapped`, need none, packed ones do);
/// but before the CPU has to take everything, a GPU gets as many layers as fit. Errors: kUnsupported or kOutOfMemory;
/// the message gives each device's reason and, for memory, what would fit: the number of layers that was asked for in
/// vain, or the largest context (or number of KV positions, if that was asked for) on one of the devices.
Result<Placement> PlaceGraph(const Graph& graph, std::span<Device* const> devices, const PlanOptions& options,
                             bool is_mapped);

}  // namespace rf
