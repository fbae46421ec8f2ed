#pragma once

#include "base/result.h"

namespace rf {

class LayerBuilder;

/// Adds the layer's current value to the residual stream, which becomes the current value.
struct AddResidual {};

Status AppendBlock(const AddResidual& block, LayerBuilder& layer);

}  // namespace rf
