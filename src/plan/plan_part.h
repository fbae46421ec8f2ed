// A plan's part on one device: which kernel runs each op, and where every byte lies. Most plans have one part.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "model/graph.h"
#include "plan/plan_options.h"
#include "plan/step.h"
#include "plan/step_recorder.h"
#include "plan/step_work.h"
#include "plan/weights.h"

namespace rf {

/// What a device is to run.
struct PartPlacement {
  Device* device = nullptr;
  Graph graph;         ///< fused: the whole model's, or a part that CutGraph made
  std::string reason;  ///< why this device, for people
};

/// What a part is, for people.
struct PartInfo {
  DeviceProperties device;
  int32_t first_layer = -1;  ///< -1: only what is before the layers
  int32_t last_layer = -1;
  MemoryPlan memory;
};

class PlanPart {
 public:
  /// Loads the weights and reserves all memory on `device`, which must outlive the part. Errors: kUnsupported (a
  /// missing kernel), kOutOfMemory; those of loading.
  static Result<std::unique_ptr<PlanPart>> Make(PartPlacement placement, const TensorReader& reader,
                                                const PlanOptions& options, const LoadProgress& progress);
  /// Queues all steps for one batch, whose arrays lie in the device's memory. REQUIRES: within the options' limits.
  void Execute(const BatchView& batch);
  /// Adds the times of the last Execute() to PlanOptions::profile. REQUIRES: it is set; the stream was synchronized.
  /// Errors: kDevice.
  Status AddToProfile(const BatchSizes& batch);

  const Graph& graph() const { return graph_; }
  /// A value of the graph in device memory, with the rows of the last Execute().
  const TensorView& value(ValueId id) const { return values_[static_cast<size_t>(id)]; }
  /// Queues the copy of one KV page to another in every layer.
  Status CopyPage(int32_t source, int32_t destination);

  Device& device() const { return *device_; }
  Stream& stream() const { return *stream_; }
  const MemoryPlan& memory() const { return memory_; }
  std::vector<StepInfo> Describe() const;
  /// The variants of each step by the size of a batch, in the order of Describe(). REQUIRES: nothing is queued.
  std::vector<std::vector<VariantInfo>> DescribeVariants();
  PartInfo info() const;

 private:
  PlanPart(PartPlacement placement, const PlanOptions& options)
      : graph_(std::move(placement.graph)),
        options_(options),
        device_(placement.device),
        reason_(std::move(placement.reason)) {}
  Status ReserveKvCache();
  Status ReserveArena();
  Status BindSteps();
  Status ReserveWorkspace();
  void SetRows(const BatchView& batch);
  void AddVariants(const BatchView& batch, bool is_prompt, std::vector<std::vector<VariantInfo>>& found);
  Status LaunchMarked(const BatchView& batch);

  Graph graph_;
  PlanOptions options_;
  Device* device_;
  std::string reason_;  ///< why this device
  WeightSet weights_;
  std::unique_ptr<Buffer> kv_buffer_;
  std::unique_ptr<Buffer> arena_;
  std::unique_ptr<Buffer> workspace_;
  std::unique_ptr<Stream> stream_;  // goes before the memory that its work uses
  StepRecorder recorder_;           // goes before the stream that made its recordings
  std::vector<KvLayerView> kv_layers_;
  std::vector<TensorView> values_;
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<size_t> first_node_;  // of the graph's nodes, for each step
  std::vector<size_t> marked_;      // steps whose ends the stream has marked
  Status marking_;                  // what came of that
  MemoryPlan memory_;
};

/// Bytes of K and V of one position in one layer.
uint64_t KvPositionBytes(const KvLayerSpec& layer, Format format);

/// Bytes of one KV page over all layers.
uint64_t KvPageBytes(const Graph& graph, int32_t page_tokens, Format format);

}  // namespace rf
