#include "model/blocks/norm.h"

#include "model/layer_builder.h"

namespace rf {

Status AppendBlock(const Norm& block, LayerBuilder& layer) {
  RF_ASSIGN_OR_RETURN(layer.current,
                      layer.Normalize(layer.current, layer.Name(block.tensor, "weight"), layer.hparams().d_model));
  return {};
}

}  // namespace rf
