#pragma once

#include "base/result.h"
#include "ops/glu.h"

namespace rf {

class LayerBuilder;

/// Gated feed-forward network: y = (activation(x Wgate) * (x Wup)) Wdown, each product with an optional bias.
/// Tensors: ffn_gate, ffn_up [d_ff, d_model] (or ffn_up [2 d_ff, d_model] when is_fused: gate rows first), ffn_down
/// [d_model, d_ff].
struct GatedFfn {
  Activation activation = Activation::kSilu;
  bool is_fused = false;
};

Status AppendBlock(const GatedFfn& block, LayerBuilder& layer);

}  // namespace rf
