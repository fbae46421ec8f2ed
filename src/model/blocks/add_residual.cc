#include "model/blocks/add_residual.h"

#include "model/layer_builder.h"

namespace rf {

Status AppendBlock(const AddResidual&, LayerBuilder& layer) {
  Node& node = layer.AddNode(OpNode<Add>{});
  node.in[0] = layer.residual;
  node.in[1] = layer.current;
  node.out[0] = layer.AddActivation(layer.hparams().d_model);
  layer.residual = layer.current = node.out[0];
  return {};
}

}  // namespace rf
