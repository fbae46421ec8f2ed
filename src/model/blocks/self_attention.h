#pragma once

#include <cstdint>

#include "base/result.h"
#include "model/presence.h"
#include "ops/rope.h"

namespace rf {

class LayerBuilder;

/// Factor on the scores <q, k>.
enum class AttentionScale : uint8_t {
  kHeadDim,  ///< 1 / sqrt(head_dim)
  kGemma3,   ///< the same, but 1 / sqrt(d_model / n_heads) in the 27B model (62 layers), as its publisher's
             ///< configuration says
};

/// Grouped-query self-attention with rotary positions over the layer's KV cache:
///   q, k, v = x Wq (+ b), x Wk (+ b), x Wv (+ b);  heads of q and k normalized (qk_norm) and rotated;  y =
///   attention(q, k, v) Wo (+ b)
/// Tensors: attn_q, attn_k, attn_v (or attn_qkv when is_fused: rows of Q, K, V one after another), attn_output,
/// attn_q_norm, attn_k_norm. Source: Ainslie et al. 2023, arXiv:2305.13245; Su et al. 2021, arXiv:2104.09864.
struct SelfAttention {
  RopePairing pairing = RopePairing::kAdjacent;
  Presence qkv_bias = Presence::kOptional;
  Presence qk_norm = Presence::kAbsent;
  AttentionScale scale = AttentionScale::kHeadDim;
  bool is_fused = false;
};

Status AppendBlock(const SelfAttention& block, LayerBuilder& layer);

}  // namespace rf
