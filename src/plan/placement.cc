#include "plan/placement.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "plan/estimate.h"

namespace rf {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;

// Why a device cannot run the plan.
struct Refusal {
  ErrorCode code = ErrorCode::kUnsupported;
  std::string reason;
  uint64_t n_pages_fitting = 0;  // KV pages that would leave enough memory
};

// What is missing, with numbers, or nothing if the plan fits.
std::optional<Refusal> FindMissingMemory(const Graph& graph, Device& device, const PlanOptions& options,
                                         bool is_mapped) {
  const DeviceProperties& properties = device.properties();
  const uint64_t free = properties.free_bytes;
  if (free == 0) return std::nullopt;  // not known
  const auto needed = EstimateMemory(graph, device, options, is_mapped);
  if (!needed) return Refusal{needed.error().code, needed.error().message};
  if (needed->Total() <= free) return std::nullopt;
  Refusal refusal{ErrorCode::kOutOfMemory,
                  fmt::format("{} has {:.0f} MiB free, needed: weights {:.0f} + KV cache {:.0f} + activations {:.0f} + "
                              "workspace {:.0f} MiB",
                              properties.Label(), free / kMiB, needed->weights / kMiB, needed->kv_cache / kMiB,
                              needed->activations / kMiB, needed->workspace / kMiB)};
  const uint64_t alignment = 512 * graph.kv_layers.size();  // of each layer's K and V, at most
  const uint64_t without_pages = needed->Total() - needed->kv_cache + alignment;
  const uint64_t page = KvPageBytes(graph, options.page_tokens, options.kv_format);
  if (page > 0 && without_pages < free) refusal.n_pages_fitting = (free - without_pages) / page;
  return refusal;
}

std::optional<Refusal> FindRefusal(const Graph& graph, Device& device, const PlanOptions& options, bool is_mapped) {
  if (const auto missing = FindMissingKernel(graph, device, options.kv_format)) {
    return Refusal{ErrorCode::kUnsupported, *missing};
  }
  return FindMissingMemory(graph, device, options, is_mapped);
}

// "; --ctx 4096 would fit", or nothing where not even a page does.
std::string Advise(uint64_t n_pages, const PlanOptions& options) {
  const bool shares_by_context = options.n_contexts > 0;
  const uint64_t n_shares = shares_by_context ? static_cast<uint64_t>(options.n_contexts) : 1;
  const uint64_t positions = n_pages / n_shares * static_cast<uint64_t>(options.page_tokens);
  if (positions == 0) return "";
  return fmt::format("; {} {} would fit", shares_by_context ? "--ctx" : "--kv-tokens", positions);
}

// `refused` says why the devices before it were not taken: that is said aloud, as it costs the user speed.
Placement Choose(Device* device, const std::string& refused) {
  if (refused.empty()) return {device, "first device"};
  Log(LogLevel::kWarning, fmt::format("the model runs on {}: {}", device->properties().Label(), refused));
  return {device, refused};
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

Result<Placement> PlaceGraph(const Graph& graph, std::span<Device* const> devices, const PlanOptions& options,
                             bool is_mapped) {
  Error error{ErrorCode::kUnsupported, "", ""};
  uint64_t n_pages_fitting = 0;
  for (Device* device : devices) {
    const auto refusal = FindRefusal(graph, *device, options, is_mapped);
    if (!refusal) return Choose(device, error.message);
    if (!error.message.empty()) error.message += "; ";
    error.message += refusal->reason;
    if (error.code != ErrorCode::kOutOfMemory) error.code = refusal->code;
    n_pages_fitting = std::max(n_pages_fitting, refusal->n_pages_fitting);
  }
  if (devices.empty()) error.message = "no device";
  error.message += Advise(n_pages_fitting, options);
  return error;
}

}  // namespace rf
