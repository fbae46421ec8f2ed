// Why a device cannot run a graph.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "device/device.h"
#include "model/graph.h"
#include "plan/plan_options.h"

namespace rf {

/// The first op of a (fused or unfused) graph that the device has no kernel for, in words; nothing if it has all.
std::optional<std::string> FindMissingKernel(const Graph& graph, const Device& device, Format kv_format);

struct Refusal {
  ErrorCode code = ErrorCode::kUnsupported;
  std::string reason;
  uint64_t n_pages_fitting = 0;  ///< KV pages that would leave enough memory
};

/// Bytes that may be planned on a device: what is free, or its budget; nothing: not known. Of a GPU a 16th is kept back
/// for what is not planned: the runtime's own, other programs.
struct PlannedMemory {
  uint64_t free_bytes = 0;
  uint64_t kept_back = 0;
};
std::optional<PlannedMemory> MemoryToPlan(const Device& device, const PlanOptions& options);

/// A missing kernel, or the memory that is missing, with numbers: all that the plan would reserve on the device must
/// fit into MemoryToPlan(), less `set_aside` bytes, as EstimateMemory counts it. Nothing if the device can run the
/// graph.
std::optional<Refusal> FindRefusal(const Graph& graph, Device& device, const PlanOptions& options, bool is_mapped,
                                   uint64_t set_aside = 0);

/// Why the memory of the host, which a GPU shares, does not suffice for all of a graph on that GPU; nothing if it does,
/// if the GPU has memory of its own, or if no host is given.
std::optional<Refusal> FindRefusalOfHost(const Graph& graph, Device& gpu, const Device* host,
                                         const PlanOptions& options, bool is_mapped);

}  // namespace rf
