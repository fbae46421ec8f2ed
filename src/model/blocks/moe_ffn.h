#pragma once

#include "base/result.h"
#include "ops/glu.h"

namespace rf {

class LayerBuilder;

/// Mixture of gated feed-forward experts: each token's n_experts_used best by the router, weighted by its softmax.
/// Tensors: ffn_gate_inp [n_experts, d_model], ffn_gate_exps, ffn_up_exps [n_experts, d_ff, d_model], ffn_down_exps
/// [n_experts, d_model, d_ff]. Source: Jiang et al. 2024, arXiv:2401.04088, section 2.1.
struct MoeFfn {
  Activation activation = Activation::kSilu;
  bool normalizes_weights = true;  ///< the chosen experts' weights sum to 1
};

Status AppendBlock(const MoeFfn& block, LayerBuilder& layer);

}  // namespace rf
