#include "model/blocks/self_attention.h"

#include <cmath>
#include <vector>

#include "model/layer_builder.h"

namespace rf {
namespace {

constexpr int32_t kGemma3LargestLayers = 62;

struct Heads {
  ValueId q;
  ValueId k;
  ValueId v;
};

float ScaleOf(AttentionScale scale, const Hyperparameters& h) {
  if (h.attention_scale > 0.0f) return h.attention_scale;
  const bool is_largest = scale == AttentionScale::kGemma3 && h.n_layers == kGemma3LargestLayers;
  const double size = is_largest ? static_cast<double>(h.d_model) / h.n_heads : static_cast<double>(h.head_dim);
  return static_cast<float>(1.0 / std::sqrt(size));
}

// Q, K and V as three parts of one product: three matrices, or row ranges of a fused one.
Result<std::vector<LayerBuilder::Part>> BindQkv(const SelfAttention& block, LayerBuilder& layer) {
  const Hyperparameters& h = layer.hparams();
  const int64_t q_rows = static_cast<int64_t>(h.n_heads) * h.head_dim;
  const int64_t kv_rows = static_cast<int64_t>(h.n_kv_heads) * h.head_dim;
  if (!block.is_fused) {
    RF_ASSIGN_OR_RETURN(const auto q, layer.BindPart("attn_q", q_rows, h.d_model, block.qkv_bias));
    RF_ASSIGN_OR_RETURN(const auto k, layer.BindPart("attn_k", kv_rows, h.d_model, block.qkv_bias));
    RF_ASSIGN_OR_RETURN(const auto v, layer.BindPart("attn_v", kv_rows, h.d_model, block.qkv_bias));
    return std::vector{q, k, v};
  }
  RF_ASSIGN_OR_RETURN(const auto fused, layer.BindPart("attn_qkv", q_rows + 2 * kv_rows, h.d_model, Presence::kAbsent));
  TensorBinder& tensors = layer.tensors();
  return std::vector{LayerBuilder::Part{tensors.Slice(fused.weight, 0, q_rows), -1, q_rows},
                     LayerBuilder::Part{tensors.Slice(fused.weight, q_rows, kv_rows), -1, kv_rows},
                     LayerBuilder::Part{tensors.Slice(fused.weight, q_rows + kv_rows, kv_rows), -1, kv_rows}};
}

Result<ValueId> NormalizeHeads(const SelfAttention& block, LayerBuilder& layer, ValueId x, const char* tensor,
                               int32_t n_heads) {
  const std::string name = layer.Name(tensor, "weight");
  if (block.qk_norm == Presence::kAbsent) return x;
  if (block.qk_norm == Presence::kOptional && !layer.tensors().Has(name)) return x;
  return layer.Normalize(x, name, layer.hparams().head_dim, n_heads);
}

void Rotate(const SelfAttention& block, LayerBuilder& layer, const Heads& heads) {
  const Hyperparameters& h = layer.hparams();
  Node& node = layer.AddNode(OpNode<Rope>{{h.n_heads, h.head_dim, h.rope.dim, block.pairing}});
  node.in[0] = layer.rope_table();
  node.in[1] = heads.q;
  node.in[2] = heads.k;
  node.out[0] = heads.q;
  node.out[1] = heads.k;
}

ValueId Attend(const SelfAttention& block, LayerBuilder& layer, const Heads& heads) {
  const Hyperparameters& h = layer.hparams();
  const int32_t window = layer.is_windowed() ? h.window : 0;
  layer.graph().kv_layers.push_back({h.n_kv_heads, h.head_dim, window});
  const auto kv_layer = static_cast<int32_t>(layer.graph().kv_layers.size()) - 1;

  Node& store = layer.AddNode(OpNode<KvStore>{});
  store.in[0] = heads.k;
  store.in[1] = heads.v;
  store.kv_layer = kv_layer;

  const ValueId y = layer.AddActivation(static_cast<int64_t>(h.n_heads) * h.head_dim);
  Node& attention = layer.AddNode(
      OpNode<Attention>{{h.n_heads, ScaleOf(block.scale, h), window, h.attention_soft_cap, /*alibi_max_bias=*/0.0f}});
  attention.in[0] = heads.q;
  attention.out[0] = y;
  attention.kv_layer = kv_layer;
  return y;
}

}  // namespace

Status AppendBlock(const SelfAttention& block, LayerBuilder& layer) {
  const Hyperparameters& h = layer.hparams();
  RF_ASSIGN_OR_RETURN(const auto parts, BindQkv(block, layer));
  const std::vector<ValueId> qkv = layer.Multiply(layer.current, parts);
  Heads heads{qkv[0], qkv[1], qkv[2]};
  RF_ASSIGN_OR_RETURN(heads.q, NormalizeHeads(block, layer, heads.q, "attn_q_norm", h.n_heads));
  RF_ASSIGN_OR_RETURN(heads.k, NormalizeHeads(block, layer, heads.k, "attn_k_norm", h.n_kv_heads));
  Rotate(block, layer, heads);
  const ValueId attended = Attend(block, layer, heads);
  RF_ASSIGN_OR_RETURN(
      const auto out,
      layer.BindPart("attn_output", h.d_model, static_cast<int64_t>(h.n_heads) * h.head_dim, Presence::kOptional));
  layer.current = layer.Multiply(attended, {out})[0];
  return {};
}

}  // namespace rf
