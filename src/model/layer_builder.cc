#include "model/layer_builder.h"

#include <utility>

#include <fmt/format.h>

namespace rf {

std::string LayerBuilder::Name(std::string_view tensor, std::string_view kind) const {
  if (layer_ < 0) return fmt::format("{}.{}", tensor, kind);
  return fmt::format("blk.{}.{}.{}", layer_, tensor, kind);
}

ValueId LayerBuilder::AddActivation(int64_t n_cols, int32_t rows_per_token) {
  return graph_.AddValue({RowKind::kTokens, rows_per_token, n_cols, Format::kF32});
}

Node& LayerBuilder::AddNode(AnyOp op) {
  Node& node = graph_.nodes.emplace_back();
  node.op = op;
  node.layer = layer_;
  return node;
}

Result<ValueId> LayerBuilder::Normalize(ValueId x, const std::string& weight, int64_t size, int32_t n_groups) {
  RF_ASSIGN_OR_RETURN(const WeightId w, tensors_.Require(weight, {size}));
  const Value shape = graph_.values[static_cast<size_t>(x)];
  const ValueId y = graph_.AddValue(shape);
  Node& node = AddNode(OpNode<RmsNorm>{{hparams_.rms_eps, n_groups}});
  node.in[0] = x;
  node.out[0] = y;
  node.weight[0] = w;
  return y;
}

std::vector<ValueId> LayerBuilder::Multiply(ValueId x, const std::vector<Part>& parts) {
  std::vector<ValueId> outputs;
  Value shape = graph_.values[static_cast<size_t>(x)];
  for (const Part& part : parts) {
    shape.n_cols = part.n_outputs;
    outputs.push_back(graph_.AddValue(shape));
  }
  Node& node = AddNode(OpNode<MatMul>{{static_cast<int32_t>(parts.size())}});
  node.in[0] = x;
  for (size_t p = 0; p < parts.size(); ++p) {
    node.out[p] = outputs[p];
    node.weight[2 * p] = parts[p].weight;
    node.weight[2 * p + 1] = parts[p].bias;
  }
  return outputs;
}

Result<LayerBuilder::Part> LayerBuilder::BindPart(std::string_view tensor, int64_t n_outputs, int64_t n_inputs,
                                                  Presence bias) {
  Part part{-1, -1, n_outputs};
  RF_ASSIGN_OR_RETURN(part.weight, tensors_.Require(Name(tensor, "weight"), {n_outputs, n_inputs}));
  if (bias == Presence::kRequired) {
    RF_ASSIGN_OR_RETURN(part.bias, tensors_.Require(Name(tensor, "bias"), {n_outputs}));
  } else if (bias == Presence::kOptional) {
    RF_ASSIGN_OR_RETURN(part.bias, tensors_.Find(Name(tensor, "bias"), {n_outputs}));
  }
  return part;
}

}  // namespace rf
