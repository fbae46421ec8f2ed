#include "plan/refusal.h"

#include <algorithm>

#include <fmt/format.h>

#include "plan/estimate.h"
#include "plan/plan_part.h"
#include "plan/step.h"

namespace rf {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;

// What there is on a device.
struct Room {
  const DeviceProperties& device;
  uint64_t free_bytes;
  uint64_t set_aside;
};

// "hip:0 has 8000 MiB free, needed: …".
std::string Compare(const Room& room, const MemoryPlan& needed) {
  const std::string aside = room.set_aside > 0 ? fmt::format(" ({:.0f} set aside)", room.set_aside / kMiB) : "";
  return fmt::format(
      "{} has {:.0f} MiB free{}, needed: weights {:.0f} + KV cache {:.0f} + activations {:.0f} + workspace {:.0f} MiB",
      room.device.Label(), room.free_bytes / kMiB, aside, needed.weights / kMiB, needed.kv_cache / kMiB,
      needed.activations / kMiB, needed.workspace / kMiB);
}

// KV pages that fit into `free` bytes beside the rest of the plan.
uint64_t CountFittingPages(const Graph& graph, const PlanOptions& options, const MemoryPlan& needed, uint64_t free) {
  const uint64_t alignment = 512 * graph.kv_layers.size();  // of each layer's K and V, at most
  const uint64_t without_pages = needed.Total() - needed.kv_cache + alignment;
  const uint64_t page = KvPageBytes(graph, options.page_tokens, options.kv_format);
  return page > 0 && without_pages < free ? (free - without_pages) / page : 0;
}

std::optional<Refusal> CompareWith(const Graph& graph, const Room& room, const PlanOptions& options,
                                   const MemoryPlan& needed) {
  const uint64_t free = room.free_bytes - std::min(room.set_aside, room.free_bytes);
  if (needed.Total() <= free) return std::nullopt;
  return Refusal{ErrorCode::kOutOfMemory, Compare(room, needed), CountFittingPages(graph, options, needed, free)};
}

}  // namespace

std::optional<PlannedMemory> MemoryToPlan(const Device& device, const PlanOptions& options) {
  constexpr uint64_t kKeptBackShare = 16;
  const DeviceProperties& properties = device.properties();
  const auto budget = options.budgets.find(&device);
  if (budget == options.budgets.end() && properties.free_bytes == 0) return std::nullopt;
  const uint64_t free = budget != options.budgets.end() ? budget->second : properties.free_bytes;
  return PlannedMemory{free, properties.is_host_memory ? 0 : free / kKeptBackShare};
}

std::optional<std::string> FindMissingKernel(const Graph& graph, const Device& device, Format kv_format) {
  for (const Node& node : graph.nodes) {
    if (HasKernel(device.kernels(), graph, node, kv_format)) continue;
    return fmt::format("{} has no kernel for {} with {}", device.properties().Label(), OpName(IdOf(node.op)),
                       GetFormatInfo(KernelKey(graph, node, kv_format)).name);
  }
  return std::nullopt;
}

std::optional<Refusal> FindRefusal(const Graph& graph, Device& device, const PlanOptions& options, bool is_mapped,
                                   uint64_t set_aside) {
  if (const auto missing = FindMissingKernel(graph, device, options.kv_format)) {
    return Refusal{ErrorCode::kUnsupported, *missing};
  }
  const auto memory = MemoryToPlan(device, options);
  if (!memory) return std::nullopt;
  const auto needed = EstimateMemory(graph, device, options, is_mapped);
  if (!needed) return Refusal{needed.error().code, needed.error().message};
  return CompareWith(graph, {device.properties(), memory->free_bytes, memory->kept_back + set_aside}, options, *needed);
}

std::optional<Refusal> FindRefusalOfHost(const Graph& graph, Device& gpu, const Device* host,
                                         const PlanOptions& options, bool is_mapped) {
  if (host == nullptr || !gpu.properties().shares_host_memory) return std::nullopt;
  const auto memory = MemoryToPlan(*host, options);
  if (!memory) return std::nullopt;
  const auto needed = EstimateMemory(graph, gpu, options, is_mapped);
  if (!needed) return Refusal{needed.error().code, needed.error().message};
  auto refusal = CompareWith(graph, {host->properties(), memory->free_bytes, 0}, options, *needed);
  if (refusal) refusal->reason = fmt::format("{}, whose memory {} uses too", refusal->reason, gpu.properties().Label());
  return refusal;
}

}  // namespace rf
