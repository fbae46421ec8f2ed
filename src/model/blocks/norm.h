#pragma once

#include <string_view>

#include "base/result.h"

namespace rf {

class LayerBuilder;

/// Root-mean-square norm of the layer's current value, with the weight `blk.N.<tensor>.weight` [d_model].
struct Norm {
  std::string_view tensor;
};

Status AppendBlock(const Norm& block, LayerBuilder& layer);

}  // namespace rf
