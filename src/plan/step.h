// One step of a plan: an op bound to a kernel, weights and values, ready to be launched with any batch.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "model/graph.h"
#include "plan/weights.h"

namespace rf {

/// What a launch needs besides what was bound at load. `values[i]` is graph value i with this step's row count.
struct LaunchState {
  const std::vector<TensorView>& values;
  const BatchView* batch;
  void* context;  ///< Stream::native()
};

/// A bound op. The kernel was chosen when the plan was made: launching branches on nothing.
class Step {
 public:
  virtual ~Step() = default;
  virtual void Launch(const LaunchState& state) const = 0;
  /// Errors: kUnsupported or kInvalidArgument from the op's own Check().
  virtual Status Check(const LaunchState& state) const = 0;
  virtual size_t WorkspaceBytes(const LaunchState& state, int n_threads) const = 0;
  virtual std::string_view kernel_name() const = 0;
  /// What a launch would start, of what the kernel decides then: names joined by " + "; empty: it decides nothing.
  virtual std::string VariantName(const LaunchState& state) const = 0;
  virtual std::string_view op_name() const = 0;
  virtual int32_t layer() const = 0;
  /// The value whose rows decide whether there is anything to do in a step.
  virtual ValueId main_output() const = 0;
};

/// What binding needs to know.
struct BindContext {
  const Graph& graph;
  const WeightSet& weights;
  const std::vector<KvLayerView>& kv_layers;
  const KernelTable& kernels;
};

/// Chooses the kernel of a node by the op's key. Errors: kUnsupported naming op and format.
Result<std::unique_ptr<Step>> BindStep(const Node& node, const BindContext& context);

/// One step for two neighbouring nodes; null where the device has no kernel for both.
std::unique_ptr<Step> BindPair(const Node& first, const Node& second, const BindContext& context);

/// The format that will select a node's kernel, known before any weight is loaded.
Format KernelKey(const Graph& graph, const Node& node, Format kv_format);

/// Whether the table has a kernel for the node.
bool HasKernel(const KernelTable& kernels, const Graph& graph, const Node& node, Format kv_format);

}  // namespace rf
