#include "plan/refusal.h"

#include <algorithm>

#include <fmt/format.h>

#include "plan/estimate.h"
#include "plan/plan_part.h"
#include "plan/step.h"

namespace rf {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;

// "hip:0 has 8000 MiB free, needed: …".
std::string Compare(const DeviceProperties& device, uint64_t set_aside, const MemoryPlan& needed) {
  const std::string aside = set_aside > 0 ? fmt::format(" ({:.0f} set aside)", set_aside / kMiB) : "";
  return fmt::format(
      "{} has {:.0f} MiB free{}, needed: weights {:.0f} + KV cache {:.0f} + activations {:.0f} + workspace {:.0f} MiB",
      device.Label(), device.free_bytes / kMiB, aside, needed.weights / kMiB, needed.kv_cache / kMiB,
      needed.activations / kMiB, needed.workspace / kMiB);
}

// KV pages that fit into `free` bytes beside the rest of the plan.
uint64_t CountFittingPages(const Graph& graph, const PlanOptions& options, const MemoryPlan& needed, uint64_t free) {
  const uint64_t alignment = 512 * graph.kv_layers.size();  // of each layer's K and V, at most
  const uint64_t without_pages = needed.Total() - needed.kv_cache + alignment;
  const uint64_t page = KvPageBytes(graph, options.page_tokens, options.kv_format);
  return page > 0 && without_pages < free ? (free - without_pages) / page : 0;
}

}  // namespace

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
  const DeviceProperties& properties = device.properties();
  if (properties.free_bytes == 0) return std::nullopt;  // not known
  const uint64_t free = properties.free_bytes - std::min(set_aside, properties.free_bytes);
  const auto needed = EstimateMemory(graph, device, options, is_mapped);
  if (!needed) return Refusal{needed.error().code, needed.error().message};
  if (needed->Total() <= free) return std::nullopt;
  return Refusal{ErrorCode::kOutOfMemory, Compare(properties, set_aside, *needed),
                 CountFittingPages(graph, options, *needed, free)};
}

}  // namespace rf
