#include "plan/placement.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "plan/cut.h"
#include "plan/split.h"

namespace rf {
namespace {

// "; --ctx 4096 would fit", or nothing where not even a page does.
std::string AdviseContext(uint64_t n_pages, const PlanOptions& options) {
  const bool shares_by_context = options.n_contexts > 0;
  const uint64_t n_shares = shares_by_context ? static_cast<uint64_t>(options.n_contexts) : 1;
  const uint64_t positions = n_pages / n_shares * static_cast<uint64_t>(options.page_tokens);
  if (positions == 0) return "";
  return fmt::format("; {} {} would fit", shares_by_context ? "--ctx" : "--kv-tokens", positions);
}

// Layers and the device that is to have them.
struct Share {
  Device* gpu = nullptr;
  int32_t n_layers = 0;
};

class Placer {
 public:
  Placer(const Graph& graph, std::span<Device* const> devices, const PlanOptions& options, bool is_mapped)
      : graph_(graph),
        options_(options),
        is_mapped_(is_mapped),
        n_layers_(CountLayers(graph)),
        cpu_(!devices.empty() && devices.back()->properties().is_host_memory ? devices.back() : nullptr),
        gpus_(cpu_ != nullptr ? devices.first(devices.size() - 1) : devices) {}

  Result<Placement> PlaceWhatFits() {
    for (Device* gpu : gpus_) {
      if (CanRunAll(*gpu)) return All(gpu, error_.message.empty() ? "first device" : error_.message);
    }
    const Share share = LargestShare();
    if (share.n_layers > 0) return Divide(share, "the most layers that fit", error_.message);
    return PlaceOnCpu("first device");
  }

  Result<Placement> Place(int32_t n_gpu_layers) {
    const std::string asked = fmt::format("--gpu-layers {}", n_gpu_layers);
    if (n_gpu_layers == 0) return PlaceOnCpu(asked);
    if (gpus_.empty()) {
      Log(LogLevel::kWarning, asked + " has no effect: there is no GPU");
      return PlaceOnCpu("first device");
    }
    for (Device* gpu : gpus_) {
      if (n_gpu_layers >= n_layers_ && CanRunAll(*gpu)) return All(gpu, asked);
      if (n_gpu_layers < n_layers_ && CanRun({gpu, n_gpu_layers})) return Divide({gpu, n_gpu_layers}, asked, asked);
    }
    const int32_t most = LargestShare().n_layers;
    if (most > 0) {
      n_pages_fitting_ = 0;  // that advice is better than a smaller context
      error_.message += fmt::format("; --gpu-layers {} would fit", most);
    }
    return Refused();
  }

 private:
  Result<Placement> PlaceOnCpu(const std::string& reason) {
    if (cpu_ == nullptr || !CanRunAll(*cpu_)) return Refused();
    return All(cpu_, error_.message.empty() ? reason : error_.message);
  }

  bool CanRunAll(Device& device) {
    return Note(FindRefusal(graph_, device, options_, is_mapped_)) &&
           Note(FindRefusalOfHost(graph_, device, cpu_, options_, is_mapped_));
  }
  bool CanRun(const Share& share) {
    if (cpu_ == nullptr) return false;
    return Note(Split(graph_, *share.gpu, *cpu_, options_, is_mapped_).FindRefusalOf(share.n_layers));
  }

  // False if there is a refusal, which goes into the error.
  bool Note(const std::optional<Refusal>& refusal) {
    if (!refusal) return true;
    if (!error_.message.empty()) error_.message += "; ";
    error_.message += refusal->reason;
    if (error_.code != ErrorCode::kOutOfMemory) error_.code = refusal->code;
    n_pages_fitting_ = std::max(n_pages_fitting_, refusal->n_pages_fitting);
    return false;
  }

  Error Refused() const {
    Error error = error_;
    if (error.message.empty()) error.message = "no device";
    error.message += AdviseContext(n_pages_fitting_, options_);
    return error;
  }

  // None if nothing can be divided.
  Share LargestShare() const {
    Share largest;
    if (cpu_ == nullptr) return largest;
    for (Device* gpu : gpus_) {
      const int32_t n = Split(graph_, *gpu, *cpu_, options_, is_mapped_).MostLayers();
      if (n > largest.n_layers) largest = {gpu, n};
    }
    return largest;
  }

  // What was refused before is said aloud, as it costs the user speed.
  Placement All(Device* device, const std::string& reason) const {
    if (!error_.message.empty()) {
      Log(LogLevel::kWarning, fmt::format("the model runs on {}: {}", device->properties().Label(), error_.message));
    }
    return {PartPlacement{device, graph_, reason}};
  }

  Placement Divide(const Share& share, const std::string& why_gpu, const std::string& why_cpu) const {
    const int32_t first = n_layers_ - share.n_layers;
    const std::string before = first == 0 ? "the embedding" : LayerRange(0, first - 1);
    const std::string where = fmt::format("{} on {}, {} and the output on {}", before, cpu_->properties().Label(),
                                          LayerRange(first, n_layers_ - 1), share.gpu->properties().Label());
    Log(options_.gpu_layers ? LogLevel::kInfo : LogLevel::kWarning, where + ": " + why_cpu);
    auto [on_cpu, on_gpu] = CutGraph(graph_, first);
    Placement placement;
    placement.push_back({cpu_, std::move(on_cpu), why_cpu});
    placement.push_back({share.gpu, std::move(on_gpu), why_gpu});
    return placement;
  }

  const Graph& graph_;
  const PlanOptions& options_;
  bool is_mapped_;
  int32_t n_layers_;
  Device* cpu_;  // null: no host device among them
  std::span<Device* const> gpus_;
  Error error_{ErrorCode::kUnsupported, "", ""};
  uint64_t n_pages_fitting_ = 0;
};

}  // namespace

Result<Placement> PlaceGraph(const Graph& graph, std::span<Device* const> devices, const PlanOptions& options,
                             bool is_mapped) {
  Placer placer(graph, devices, options, is_mapped);
  return options.gpu_layers ? placer.Place(*options.gpu_layers) : placer.PlaceWhatFits();
}

}  // namespace rf
