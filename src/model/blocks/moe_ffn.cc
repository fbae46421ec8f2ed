#include "model/blocks/moe_ffn.h"

#include "model/layer_builder.h"

namespace rf {
namespace {

struct Routing {
  ValueId ids;
  ValueId weights;
};

Result<Routing> Route(const MoeFfn& block, LayerBuilder& layer) {
  const Hyperparameters& h = layer.hparams();
  RF_ASSIGN_OR_RETURN(const auto router, layer.BindPart("ffn_gate_inp", h.n_experts, h.d_model, Presence::kAbsent));
  const ValueId logits = layer.Multiply(layer.current, {router})[0];
  const Routing routing{layer.graph().AddValue({RowKind::kTokens, 1, h.n_experts_used, Format::kI32}),
                        layer.AddActivation(h.n_experts_used)};
  Node& node = layer.AddNode(OpNode<MoeRoute>{{h.n_experts_used, block.normalizes_weights, 1.0f}});
  node.in[0] = logits;
  node.out[0] = routing.ids;
  node.out[1] = routing.weights;
  return routing;
}

// Products of x with each token's experts: [n_tokens * n_experts_used, n_outputs].
Result<ValueId> MultiplyExperts(LayerBuilder& layer, const char* tensor, ValueId x, ValueId ids, int64_t n_outputs) {
  const Hyperparameters& h = layer.hparams();
  const int64_t n_inputs = layer.graph().values[static_cast<size_t>(x)].n_cols;
  RF_ASSIGN_OR_RETURN(const WeightId weight,
                      layer.tensors().Require(layer.Name(tensor, "weight"), {h.n_experts, n_outputs, n_inputs}));
  const ValueId y = layer.AddActivation(n_outputs, h.n_experts_used);
  Node& node = layer.AddNode(OpNode<MoeMatMul>{});
  node.in[0] = x;
  node.in[1] = ids;
  node.out[0] = y;
  node.weight[0] = weight;
  return y;
}

}  // namespace

Status AppendBlock(const MoeFfn& block, LayerBuilder& layer) {
  const Hyperparameters& h = layer.hparams();
  RF_ASSIGN_OR_RETURN(const Routing routing, Route(block, layer));
  RF_ASSIGN_OR_RETURN(const ValueId gate,
                      MultiplyExperts(layer, "ffn_gate_exps", layer.current, routing.ids, h.d_ff_expert));
  RF_ASSIGN_OR_RETURN(const ValueId up,
                      MultiplyExperts(layer, "ffn_up_exps", layer.current, routing.ids, h.d_ff_expert));
  const ValueId hidden = layer.AddActivation(h.d_ff_expert, h.n_experts_used);
  Node& glu = layer.AddNode(OpNode<Glu>{{block.activation}});
  glu.in[0] = gate;
  glu.in[1] = up;
  glu.out[0] = hidden;
  RF_ASSIGN_OR_RETURN(const ValueId down, MultiplyExperts(layer, "ffn_down_exps", hidden, routing.ids, h.d_model));
  const ValueId y = layer.AddActivation(h.d_model);
  Node& combine = layer.AddNode(OpNode<MoeCombine>{});
  combine.in[0] = down;
  combine.in[1] = routing.weights;
  combine.out[0] = y;
  layer.current = y;
  return {};
}

}  // namespace rf
