#include "plan/step_bytes.h"

#include <algorithm>
#include <set>
#include <utility>

#include "model/model.h"
#include "plan/fusion/passes.h"
#include "plan/plan_part.h"
#include "plan/weights.h"

namespace rf {
namespace {

uint64_t BytesOnDevice(const WeightRef& weight, OpId op, const Device& device) {
  WeightSource source;
  source.format = weight.format;
  source.n_matrices = weight.n_matrices;
  source.n_rows = weight.n_rows;
  source.n_cols = weight.n_cols;
  source.used_by = op;
  source.may_reference = true;
  const uint64_t owned = device.DescribeWeight(source).bytes_owned;
  return owned > 0 ? owned : FileBytes(weight);
}

// Of one token.
int64_t OperationsWith(const WeightRef& weight, OpId op, const Hyperparameters& hparams) {
  if (op != OpId::kMatMul && op != OpId::kMoeMatMul) return 0;
  const int64_t n_used = op == OpId::kMoeMatMul && weight.n_matrices > 1 ? hparams.n_experts_used : 1;
  return 2 * n_used * weight.n_rows * weight.n_cols;
}

}  // namespace

uint64_t StepBytes::KvBytes(int64_t n_positions) const {
  uint64_t total = 0;
  for (const Layer& layer : kv_layers) {
    const int64_t seen = layer.window > 0 ? std::min<int64_t>(n_positions, layer.window) : n_positions;
    total += layer.bytes * static_cast<uint64_t>(seen);
  }
  return total;
}

Result<StepBytes> CountStepBytes(const GgufFile& file, const Device& device, Format kv_format) {
  RF_ASSIGN_OR_RETURN(Model model, BuildModel(file, {}));
  RunFusionPasses(model.graph);
  StepBytes bytes;
  for (const KvLayerSpec& layer : model.graph.kv_layers) {
    bytes.kv_layers.push_back({KvPositionBytes(layer, kv_format), layer.window});
  }
  bool is_of_outputs = false;  // as only the rows whose logits are wanted go on
  std::set<std::pair<WeightId, OpId>> counted;
  for (const Node& node : model.graph.nodes) {
    const OpId op = IdOf(node.op);
    if (op == OpId::kEmbed) continue;
    if (op == OpId::kGatherRows) is_of_outputs = true;
    for (const WeightId id : node.weight) {
      if (id < 0 || !counted.emplace(id, op).second) continue;
      const WeightRef& weight = model.graph.weights[static_cast<size_t>(id)];
      uint64_t size = BytesOnDevice(weight, op, device);
      if (op == OpId::kMoeMatMul && weight.n_matrices > 1) {
        size = size / static_cast<uint64_t>(weight.n_matrices) * static_cast<uint64_t>(model.hparams.n_experts_used);
      }
      bytes.weights += size;
      if (!is_of_outputs) bytes.operations += OperationsWith(weight, op, model.hparams);
    }
  }
  return bytes;
}

}  // namespace rf
