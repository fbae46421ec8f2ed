"""Writes a tiny model as GGUF, the way the publishers' converters do: names, layouts, keys, permuted and shifted weights."""
import math

import gguf
import numpy as np

from configs import VOCABULARY

NAMES = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.qkv_proj": "attn_qkv", "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.gate_up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "block_sparse_moe.gate": "ffn_gate_inp", "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}
TOP = {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}


def pair_adjacent(values, c, n_heads):
    """llama's files have rotating rows (i, i + half) side by side: (2 i, 2 i + 1). The rest of a head stays."""
    heads = values.reshape(n_heads, c.head_dim, -1)
    half = c.rope_dim // 2
    order = [row for i in range(half) for row in (i, i + half)] + list(range(c.rope_dim, c.head_dim))
    return heads[:, order].reshape(values.shape)


def tensors(c, weights):
    for name, values in weights.items():
        if c.norm_adds_one and name.endswith("norm.weight"):
            values = values + np.float32(1)
        if c.arch == "llama" and (".q_proj." in name or ".k_proj." in name):
            values = pair_adjacent(values, c, c.n_heads if ".q_proj." in name else c.n_kv_heads)
        if name in TOP:
            yield TOP[name], values
        elif ".experts." not in name:
            _, layer, rest = name.split(".", 2)
            part, kind = rest.rsplit(".", 1)
            after_attention = "post_attention_norm" if c.sandwich_norms else "ffn_norm"
            yield f"blk.{layer}.{NAMES.get(part, after_attention)}.{kind}", values
    for layer in range(c.n_layers if c.n_experts else 0):
        for part in ("gate", "up", "down"):
            stack = [weights[f"layers.{layer}.block_sparse_moe.experts.{e}.{part}_proj.weight"] for e in range(c.n_experts)]
            yield f"blk.{layer}.ffn_{part}_exps.weight", np.stack(stack)


def llama3_factors(c):
    """What a converter stores for Llama 3.1: divisors of the plain frequencies."""
    r, out = c.rope, []
    for i in range(0, c.rope_dim, 2):
        wavelength = 2 * math.pi * r["rope_theta"] ** (i / c.rope_dim)
        low, high = (r["original_max_position_embeddings"] / r[f"{end}_freq_factor"] for end in ("low", "high"))
        if wavelength < high:
            out.append(1.0)
        elif wavelength > low:
            out.append(r["factor"])
        else:
            smooth = (r["original_max_position_embeddings"] / wavelength - r["low_freq_factor"]) / (
                r["high_freq_factor"] - r["low_freq_factor"])
            out.append(1 / ((1 - smooth) / r["factor"] + smooth))
    return np.array(out, np.float32)


def add_rope(w, c):
    r = c.rope
    kind = r.get("rope_type", "default")
    w.add_rope_dimension_count(c.rope_dim)
    w.add_rope_freq_base(r["rope_theta"])
    if kind in ("linear", "yarn"):
        w.add_rope_scaling_type(gguf.RopeScalingType(kind))
        w.add_rope_scaling_factor(r["factor"])
    if kind == "yarn":
        w.add_rope_scaling_orig_ctx_len(r["original_max_position_embeddings"])
        for beta in sorted({"beta_fast", "beta_slow"} & r.keys()):
            w.add_float32(f"{c.arch}.rope.scaling.yarn_{beta}", r[beta])
        if "mscale_all_dim" in r:
            w.add_rope_scaling_yarn_log_mul(r["mscale_all_dim"])
        if "attention_factor" in r:
            w.add_float32(f"{c.arch}.rope.scaling.yarn_attn_factor", r["attention_factor"])
    if kind == "llama3":
        w.add_tensor("rope_freqs.weight", llama3_factors(c))
    if kind == "longrope":
        old, stretch = r["original_max_position_embeddings"], r["max_position_embeddings"] / r["original_max_position_embeddings"]
        w.add_rope_scaling_orig_ctx_len(old)
        w.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(stretch) / math.log(old)))
        w.add_tensor("rope_factors_long.weight", np.array(r["long_factor"], np.float32))
        w.add_tensor("rope_factors_short.weight", np.array(r["short_factor"], np.float32))


def add_keys(w, c):
    w.add_vocab_size(VOCABULARY)
    w.add_context_length(c.context)
    w.add_embedding_length(c.d_model)
    w.add_block_count(c.n_layers)
    w.add_feed_forward_length(c.d_ff)
    w.add_head_count(c.n_heads)
    w.add_head_count_kv(c.n_kv_heads)
    w.add_layer_norm_rms_eps(c.eps)
    if c.head_dim * c.n_heads != c.d_model or c.arch in ("qwen3", "gemma3"):
        w.add_key_length(c.head_dim)
        w.add_value_length(c.head_dim)
    if c.window or c.arch == "phi3":
        w.add_sliding_window(c.window)
    if c.arch == "gemma3" and c.window_pattern != 6:
        w.add_uint32("gemma3.attention.sliding_window_pattern", c.window_pattern)
    if c.attention_soft_cap:
        w.add_attn_logit_softcapping(c.attention_soft_cap)
    if c.logit_soft_cap:
        w.add_final_logit_softcapping(c.logit_soft_cap)
    if c.n_experts:
        w.add_expert_count(c.n_experts)
        w.add_expert_used_count(c.n_experts_used)


def add_vocabulary(w):
    """SentencePiece-like: three special tokens, the bytes, a few letters."""
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    types = [2, 3, 3] + [6] * 256
    tokens += ["\u2581"] + [chr(ord("a") + i) for i in range(VOCABULARY - len(tokens) - 1)]
    types += [1] * (len(tokens) - len(types))
    assert len(tokens) == VOCABULARY
    w.add_tokenizer_model("llama")
    w.add_tokenizer_pre("default")
    w.add_token_list(tokens)
    w.add_token_scores([-float(i) for i in range(VOCABULARY)])
    w.add_token_types(types)
    w.add_unk_token_id(0)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_add_bos_token(True)


def write(path, config, weights):
    w = gguf.GGUFWriter(str(path), config.arch)
    w.add_type("model")
    w.add_name("tiny random model")
    add_keys(w, config)
    add_rope(w, config)
    add_vocabulary(w)
    for name, values in tensors(config, weights):
        w.add_tensor(name, np.ascontiguousarray(values, np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
