// A model on a GPU that cannot hold all of it: its last layers there, the others on the CPU.
#pragma once

#include <cstdint>
#include <optional>

#include "device/device.h"
#include "model/graph.h"
#include "plan/plan_options.h"
#include "plan/refusal.h"

namespace rf {

/// Where a graph can be divided between two devices. What is after the layers goes with the last of them (the output
/// needs much arithmetic), what is before with the first: an embedding looked up by the CPU stays in the file.
class Split {
 public:
  /// All must outlive the object.
  Split(const Graph& graph, Device& gpu, Device& cpu, const PlanOptions& options, bool is_mapped)
      : graph_(graph), gpu_(gpu), cpu_(cpu), options_(options), is_mapped_(is_mapped) {}

  /// Why the last `n` layers cannot be on the GPU and the rest on the CPU; nothing if they can. REQUIRES: 1 <= n <=
  /// layers.
  std::optional<Refusal> FindRefusalOf(int32_t n) const;

  /// The most layers that the GPU can take, 0 if none or if the CPU has no room for the rest.
  int32_t MostLayers() const;

 private:
  std::optional<Refusal> FindRefusalOnGpu(const Graph& part) const;
  std::optional<Refusal> FindRefusalOnCpu(const Graph& part, const Graph& on_gpu) const;

  const Graph& graph_;
  Device& gpu_;
  Device& cpu_;
  const PlanOptions& options_;
  bool is_mapped_;
};

}  // namespace rf
