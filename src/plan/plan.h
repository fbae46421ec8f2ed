// The plan: made once at load, it fixes which device and kernel runs each op, and where every byte lies.
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
#include "plan/arena.h"
#include "plan/step.h"
#include "plan/step_recorder.h"
#include "plan/weights.h"

namespace rf {

struct PlanOptions {
  RowLimits rows;             ///< tokens and outputs of one step at most
  int32_t max_sequences = 1;  ///< sequences of one step at most
  int32_t page_tokens = 32;   ///< positions in a KV page
  int32_t n_pages = 0;        ///< KV pages in all
  int32_t n_contexts = 0;     ///< whole contexts that the pages are for; 0: so many positions were asked for
  Format kv_format = Format::kF16;
  bool record_steps = true;  ///< decoding steps are recorded and replayed where the device can
};

/// Bytes that the plan holds, by purpose.
struct MemoryPlan {
  uint64_t weights = 0;         ///< packed copies on the device
  uint64_t weights_mapped = 0;  ///< read from the mapped file; the page cache's, not ours
  uint64_t kv_cache = 0;
  uint64_t activations = 0;
  uint64_t workspace = 0;

  uint64_t Total() const { return weights + kv_cache + activations + workspace; }
};

/// One line of `plan MODEL`.
struct StepInfo {
  std::string_view op;
  int32_t layer;
  std::string device;
  std::string kernel;
  std::string reason;
};

class Plan {
 public:
  /// Chooses the first of `devices` (best first) that has a kernel for every op and enough memory, fuses the graph,
  /// loads the weights and reserves all memory. Errors: kUnsupported or kOutOfMemory with each device's reason; those
  /// of loading. `devices` must outlive the plan.
  static Result<std::unique_ptr<Plan>> Make(Graph graph, const TensorReader& reader, std::span<Device* const> devices,
                                            const PlanOptions& options, const LoadProgress& progress);

  /// Queues all steps for one batch, whose arrays lie in the device's memory. REQUIRES: within the options' limits.
  void Execute(const BatchView& batch);

  /// Logits of the last Execute() in device memory, [n_outputs, n_vocab] F32.
  const TensorView& logits() const { return values_[graph_.logits]; }
  int32_t n_vocab() const { return static_cast<int32_t>(graph_.values[graph_.logits].n_cols); }

  /// Queues the copy of one KV page to another in every layer.
  Status CopyPage(int32_t source, int32_t destination);

  Device& device() { return *device_; }
  Stream& stream() { return *stream_; }
  const PlanOptions& options() const { return options_; }
  const MemoryPlan& memory() const { return memory_; }
  std::vector<StepInfo> Describe() const;

 private:
  Plan(Graph graph, const PlanOptions& options) : graph_(std::move(graph)), options_(options) {}
  Status ReserveKvCache();
  Status ReserveArena();
  Status BindSteps();
  Status ReserveWorkspace();
  void SetRows(int64_t n_tokens, int64_t n_outputs);

  Graph graph_;
  PlanOptions options_;
  Device* device_ = nullptr;
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
  MemoryPlan memory_;
};

/// Bytes of one KV page over all layers.
uint64_t KvPageBytes(const Graph& graph, int32_t page_tokens, Format format);

}  // namespace rf
