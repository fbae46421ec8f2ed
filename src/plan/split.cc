#include "plan/split.h"

#include "plan/cut.h"
#include "plan/estimate.h"

namespace rf {

std::optional<Refusal> Split::FindRefusalOnGpu(const Graph& part) const {
  return FindRefusal(part, gpu_, options_, is_mapped_);
}

std::optional<Refusal> Split::FindRefusalOnCpu(const Graph& part, const Graph& on_gpu) const {
  uint64_t taken = 0;
  if (gpu_.properties().shares_host_memory) {
    const auto needed = EstimateMemory(on_gpu, gpu_, options_, is_mapped_);
    if (!needed) return Refusal{needed.error().code, needed.error().message};
    taken = needed->Total();
  }
  return FindRefusal(part, cpu_, options_, is_mapped_, taken);
}

std::optional<Refusal> Split::FindRefusalOf(int32_t n) const {
  const auto [on_cpu, on_gpu] = CutGraph(graph_, CountLayers(graph_) - n);
  if (auto refusal = FindRefusalOnGpu(on_gpu)) return refusal;
  return FindRefusalOnCpu(on_cpu, on_gpu);
}

// More layers need more of the GPU, so that halving finds the limit.
int32_t Split::MostLayers() const {
  const int32_t n_layers = CountLayers(graph_);
  int32_t fits = 0;
  int32_t too_many = n_layers + 1;
  while (too_many - fits > 1) {
    const int32_t n = (fits + too_many) / 2;
    (FindRefusalOnGpu(CutGraph(graph_, n_layers - n).second) ? too_many : fits) = n;
  }
  return fits > 0 && !FindRefusalOf(fits) ? fits : 0;
}

}  // namespace rf
