#include "plan/placement.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace rf {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;

// The first op of the graph that the device cannot run, in words.
std::optional<std::string> FindMissingKernel(const Graph& graph, const Device& device, Format kv_format) {
  for (const Node& node : graph.nodes) {
    if (HasKernel(device.kernels(), graph, node, kv_format)) continue;
    return fmt::format("{} has no kernel for {} with {}", device.properties().kind, OpName(IdOf(node.op)),
                       GetFormatInfo(KernelKey(graph, node, kv_format)).name);
  }
  return std::nullopt;
}

uint64_t WeightBytes(const Graph& graph) {
  uint64_t total = 0;
  for (const WeightRef& weight : graph.weights) total += FileBytes(weight);
  return total;
}

// What is missing, in words with numbers, or nothing if the plan fits.
std::optional<std::string> FindMissingMemory(const Graph& graph, const Device& device, const PlanOptions& options) {
  const uint64_t free = device.properties().free_bytes;
  const uint64_t page = KvPageBytes(graph, options.page_tokens, options.kv_format);
  const uint64_t weights = WeightBytes(graph);
  const uint64_t kv = page * static_cast<uint64_t>(options.n_pages);
  const uint64_t arena = LayOutArena(graph, options.rows).bytes;
  if (free == 0 || weights + kv + arena <= free) return std::nullopt;
  std::string text =
      fmt::format("{} has {:.0f} MiB free, needed: weights {:.0f} + KV cache {:.0f} + activations {:.0f} MiB",
                  device.properties().kind, free / kMiB, weights / kMiB, kv / kMiB, arena / kMiB);
  if (weights + arena + page <= free) {
    const uint64_t pages = (free - weights - arena) / page;
    text += fmt::format("; --ctx {} would fit", pages * static_cast<uint64_t>(options.page_tokens));
  }
  return text;
}

}  // namespace

Result<Placement> PlaceGraph(const Graph& graph, std::span<Device* const> devices, const PlanOptions& options) {
  std::string reasons;
  ErrorCode code = ErrorCode::kUnsupported;
  for (Device* device : devices) {
    auto why_not = FindMissingKernel(graph, *device, options.kv_format);
    if (!why_not) {
      why_not = FindMissingMemory(graph, *device, options);
      if (!why_not) return Placement{device, reasons.empty() ? "first device" : reasons};
      code = ErrorCode::kOutOfMemory;
    }
    if (!reasons.empty()) reasons += "; ";
    reasons += *why_not;
  }
  if (devices.empty()) reasons = "no device";
  return Error{code, reasons, ""};
}

}  // namespace rf
