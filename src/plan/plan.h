// The plan: made once at load, it fixes which device and kernel runs each op, and where every byte lies.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "model/graph.h"
#include "plan/plan_options.h"
#include "plan/plan_part.h"
#include "plan/weights.h"

namespace rf {

/// One part, or two where a model is divided between the CPU and a GPU: each with its own weights, KV layers and
/// activations. Page ids and row counts are the same in all.
class Plan {
 public:
  /// Fuses the graph, places it (PlaceGraph), loads the weights and reserves all memory. Errors: kUnsupported or
  /// kOutOfMemory with each device's reason; those of loading. `devices`, best first, must outlive the plan. A GPU that
  /// runs out of memory meanwhile gets a smaller part, where the CPU may take the rest and nobody said how many layers
  /// it has.
  static Result<std::unique_ptr<Plan>> Make(Graph graph, const TensorReader& reader, std::span<Device* const> devices,
                                            const PlanOptions& options, const LoadProgress& progress);

  /// In the order in which they run. Never empty.
  std::span<const std::unique_ptr<PlanPart>> parts() const { return parts_; }
  /// Queues part `i` for a batch whose arrays lie in the memory of its device, and before it the copy of what it reads
  /// of the part before it. REQUIRES: within the options' limits; the parts of a step are queued in order. Errors:
  /// those of copying.
  Status Execute(size_t i, const BatchView& batch);

  /// Logits of the last step in the last part's memory, [n_outputs, n_vocab] F32.
  const TensorView& logits() const { return parts_.back()->value(parts_.back()->graph().logits); }
  /// Of the last step's rows, as the batch asked, in the same memory (ops/best_logits.h); null if no device chooses.
  struct BestViews {
    const TensorView* ids = nullptr;
    const TensorView* values = nullptr;
    const TensorView* sums = nullptr;
  };
  BestViews best() const;
  int32_t n_vocab() const { return static_cast<int32_t>(logits().n_cols); }
  Stream& last_stream() const { return parts_.back()->stream(); }
  /// Waits for everything queued on all devices. Errors: the first one's.
  Status Synchronize();
  /// Queues the copy of one KV page to another in every layer.
  Status CopyPage(int32_t source, int32_t destination);

  const PlanOptions& options() const { return options_; }
  MemoryPlan memory() const;
  std::vector<StepInfo> Describe() const;
  /// The same with StepInfo::variants, for which each size of a batch is tried. REQUIRES: nothing is queued.
  std::vector<StepInfo> DescribeVariants();

 private:
  explicit Plan(const PlanOptions& options) : options_(options) {}
  static Result<std::unique_ptr<Plan>> Load(const std::vector<PartPlacement>& placement, const TensorReader& reader,
                                            const PlanOptions& options, const LoadProgress& progress);
  Status HandOver(const PlanPart& from, const PlanPart& to);

  PlanOptions options_;
  std::vector<std::unique_ptr<PlanPart>> parts_;
};

}  // namespace rf
