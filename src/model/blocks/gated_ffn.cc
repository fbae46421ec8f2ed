#include "model/blocks/gated_ffn.h"

#include <vector>

#include "model/layer_builder.h"

namespace rf {
namespace {

Result<std::vector<LayerBuilder::Part>> BindGateAndUp(const GatedFfn& block, LayerBuilder& layer) {
  const Hyperparameters& h = layer.hparams();
  if (block.is_fused) {
    RF_ASSIGN_OR_RETURN(const auto fused, layer.BindPart("ffn_up", 2 * int64_t{h.d_ff}, h.d_model, Presence::kAbsent));
    return std::vector{LayerBuilder::Part{layer.tensors().Slice(fused.weight, 0, h.d_ff), -1, h.d_ff},
                       LayerBuilder::Part{layer.tensors().Slice(fused.weight, h.d_ff, h.d_ff), -1, h.d_ff}};
  }
  RF_ASSIGN_OR_RETURN(const auto gate, layer.BindPart("ffn_gate", h.d_ff, h.d_model, Presence::kOptional));
  RF_ASSIGN_OR_RETURN(const auto up, layer.BindPart("ffn_up", h.d_ff, h.d_model, Presence::kOptional));
  return std::vector{gate, up};
}

}  // namespace

Status AppendBlock(const GatedFfn& block, LayerBuilder& layer) {
  const Hyperparameters& h = layer.hparams();
  RF_ASSIGN_OR_RETURN(const auto parts, BindGateAndUp(block, layer));
  const std::vector<ValueId> gate_up = layer.Multiply(layer.current, parts);
  const ValueId hidden = layer.AddActivation(h.d_ff);
  Node& glu = layer.AddNode(OpNode<Glu>{{block.activation}});
  glu.in[0] = gate_up[0];
  glu.in[1] = gate_up[1];
  glu.out[0] = hidden;
  RF_ASSIGN_OR_RETURN(const auto down, layer.BindPart("ffn_down", h.d_model, h.d_ff, Presence::kOptional));
  layer.current = layer.Multiply(hidden, {down})[0];
  return {};
}

}  // namespace rf
