// What a plan is made for, and what it tells of itself.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/arena.h"
#include "quant/format.h"

namespace rf {

class Device;
class Profile;

struct PlanOptions {
  RowLimits rows;             ///< tokens and outputs of one step at most
  int32_t max_sequences = 1;  ///< sequences of one step at most
  int32_t page_tokens = 32;   ///< positions in a KV page
  int32_t n_pages = 0;        ///< KV pages in all
  int32_t n_contexts = 0;     ///< whole contexts that the pages are for; 0: so many positions were asked for
  Format kv_format = Format::kF16;
  bool check_weights = false;  ///< once all is loaded and reserved, the weights are compared with the file's
  bool record_steps = true;    ///< decoding steps are recorded and replayed where the device can
  bool best_on_device = true;  ///< a GPU looks for the best logits (plan/best_of_logits.h)
  /// Layers on the GPU, counted from the last; as many as the model has, or more: all of the model. Nothing: as many as
  /// fit.
  std::optional<int32_t> gpu_layers;
  /// Bytes that may be planned on a device that has less than it says; of others what they say is free.
  std::map<const Device*, uint64_t> budgets;
  /// Where each op's time goes; must outlive the plan. Then nothing is recorded, and a device that begins kernels
  /// before their predecessors have ended does not. Null: not measured.
  Profile* profile = nullptr;
};

/// Bytes that the plan holds, by purpose.
struct MemoryPlan {
  uint64_t weights = 0;         ///< packed copies on the device
  uint64_t weights_mapped = 0;  ///< read from the mapped file; the page cache's, not ours
  uint64_t kv_cache = 0;
  uint64_t activations = 0;
  uint64_t workspace = 0;
  uint64_t Total() const { return weights + kv_cache + activations + workspace; }

  MemoryPlan& operator+=(const MemoryPlan& other) {
    weights += other.weights;
    weights_mapped += other.weights_mapped;
    kv_cache += other.kv_cache;
    activations += other.activations;
    workspace += other.workspace;
    return *this;
  }
};

/// What a kernel does with batches of some sizes.
struct VariantInfo {
  bool is_prompt = false;  ///< all tokens are one sequence's; else each is a sequence's newest
  int32_t first_tokens = 1;
  int32_t last_tokens = 1;
  std::string name;  ///< of the kernel's variants (KernelEntry::name_variants), joined by " + "
};

/// One line of `plan MODEL`.
struct StepInfo {
  std::string op;  ///< two, with a comma between, if one kernel computes both
  int32_t layer;
  std::string device;
  std::string kernel;
  std::string reason;
  std::vector<VariantInfo> variants;  ///< empty: there is one, or nobody asked
};

/// "layers 0-11", "layer 0".
inline std::string LayerRange(int32_t first, int32_t last) {
  if (first == last) return "layer " + std::to_string(first);
  return "layers " + std::to_string(first) + "-" + std::to_string(last);
}

}  // namespace rf
