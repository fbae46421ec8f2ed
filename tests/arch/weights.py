"""Random weights of a tiny model, named and laid out as its publisher's checkpoints are."""
import zlib

import numpy as np

from configs import VOCABULARY


def shapes(c):
    """name -> shape, matrices as [outputs, inputs]."""
    q_rows, kv_rows = c.n_heads * c.head_dim, c.n_kv_heads * c.head_dim
    out = {"embed_tokens.weight": (VOCABULARY, c.d_model), "norm.weight": (c.d_model,)}
    if not c.tied:
        out["lm_head.weight"] = (VOCABULARY, c.d_model)

    def linear(name, n_outputs, n_inputs, bias=False):
        out[name + ".weight"] = (n_outputs, n_inputs)
        if bias:
            out[name + ".bias"] = (n_outputs,)

    def mlp(prefix):
        if c.fused:
            linear(prefix + "gate_up_proj", 2 * c.d_ff, c.d_model)
        else:
            linear(prefix + "gate_proj", c.d_ff, c.d_model, c.other_biases)
            linear(prefix + "up_proj", c.d_ff, c.d_model, c.other_biases)
        linear(prefix + "down_proj", c.d_model, c.d_ff, c.other_biases)

    for i in range(c.n_layers):
        layer = f"layers.{i}."
        norms = ["input_layernorm", "post_attention_layernorm"]
        if c.sandwich_norms:
            norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
        for name in norms:
            out[layer + name + ".weight"] = (c.d_model,)
        attention = layer + "self_attn."
        if c.fused:
            linear(attention + "qkv_proj", q_rows + 2 * kv_rows, c.d_model)
        else:
            linear(attention + "q_proj", q_rows, c.d_model, c.qkv_bias)
            linear(attention + "k_proj", kv_rows, c.d_model, c.qkv_bias)
            linear(attention + "v_proj", kv_rows, c.d_model, c.qkv_bias)
        linear(attention + "o_proj", c.d_model, q_rows, c.other_biases)
        if c.qk_norm:
            out[attention + "q_norm.weight"] = out[attention + "k_norm.weight"] = (c.head_dim,)
        if c.n_experts:
            linear(layer + "block_sparse_moe.gate", c.n_experts, c.d_model)
            for e in range(c.n_experts):
                mlp(layer + f"block_sparse_moe.experts.{e}.")
        else:
            mlp(layer + "mlp.")
    return out


def draw(c, name):
    """All weights in float32, the same every time: every part of the model has a say in the result."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    out = {}
    for key, shape in shapes(c).items():
        if len(shape) == 2:
            gain = 2.0 if key.startswith("lm_head") or "q_proj" in key or "k_proj" in key else 1.0
            values = rng.standard_normal(shape) * gain / np.sqrt(shape[1])
            if key == "embed_tokens.weight":
                values = rng.standard_normal(shape) * (2.0 / np.sqrt(c.d_model) if c.tied else 1.0)
        elif key.endswith(".bias"):
            values = rng.standard_normal(shape) * 0.5
        else:
            values = rng.standard_normal(shape) * 0.3 + (0.0 if c.norm_adds_one else 1.0)
        out[key] = values.astype(np.float32)
    return out
