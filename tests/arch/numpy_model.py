"""Decoder-only language models in float64, plainly: no cache, no batching, every position against every earlier one.

Written from the papers and the published model code's definitions; it shares nothing with src/. Weights are named and
laid out as the publishers' checkpoints have them (see weights.py), so the conversion to GGUF is tested too.
"""
import numpy as np

from numpy_rope import frequencies


def rms_norm(x, weight, eps):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps) * weight


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def silu(x):
    return x / (1 + np.exp(-x))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def rotate(x, inv_freq, magnitude):
    """x [tokens, heads, head_dim]: the first 2 * len(inv_freq) elements of a head turn, element i with element i + half."""
    half = len(inv_freq)
    angle = np.arange(x.shape[0])[:, None, None] * inv_freq
    cos, sin = np.cos(angle) * magnitude, np.sin(angle) * magnitude
    a, b, rest = x[..., :half], x[..., half:2 * half], x[..., 2 * half:]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin, rest], axis=-1)


class NumpyModel:
    """`config`: configs.Config; `weights`: name -> array as weights.draw gives them."""

    def __init__(self, config, weights):
        self.c = config
        self.w = {name: value.astype(np.float64) for name, value in weights.items()}

    def norm(self, x, name):
        weight = self.w[name]
        return rms_norm(x, 1 + weight if self.c.norm_adds_one else weight, self.c.eps)

    def linear(self, x, name):
        return x @ self.w[name + ".weight"].T + self.w.get(name + ".bias", 0.0)

    def has_window(self, layer):
        if not self.c.window:
            return False
        return not self.c.window_pattern or (layer + 1) % self.c.window_pattern != 0

    def rope_of(self, layer, context):
        if self.c.local_rope_theta and self.has_window(layer):
            return frequencies({"rope_theta": self.c.local_rope_theta}, self.c.rope_dim, context)
        return frequencies(self.c.rope, self.c.rope_dim, context)

    def qkv(self, x, prefix):
        c, n = self.c, len(x)
        if c.fused:
            q_rows, kv_rows = c.n_heads * c.head_dim, c.n_kv_heads * c.head_dim
            all_rows = self.linear(x, prefix + "qkv_proj")
            q, k, v = np.split(all_rows, [q_rows, q_rows + kv_rows], axis=-1)
        else:
            q, k, v = (self.linear(x, prefix + f"{name}_proj") for name in "qkv")
        return (q.reshape(n, c.n_heads, c.head_dim), k.reshape(n, c.n_kv_heads, c.head_dim),
                v.reshape(n, c.n_kv_heads, c.head_dim))

    def attention(self, x, layer, context):
        c, n, prefix = self.c, len(x), f"layers.{layer}.self_attn."
        q, k, v = self.qkv(x, prefix)
        if c.qk_norm:
            q, k = self.norm(q, prefix + "q_norm.weight"), self.norm(k, prefix + "k_norm.weight")
        inv_freq, magnitude = self.rope_of(layer, context)
        q, k = rotate(q, inv_freq, magnitude), rotate(k, inv_freq, magnitude)
        group = c.n_heads // c.n_kv_heads
        k, v = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)
        scores = np.einsum("qhd,khd->hqk", q, k) * c.attention_scale
        if c.attention_soft_cap:
            scores = c.attention_soft_cap * np.tanh(scores / c.attention_soft_cap)
        query, key = np.arange(n)[:, None], np.arange(n)[None, :]
        seen = key <= query
        if self.has_window(layer):
            seen &= key > query - c.window
        p = softmax(np.where(seen, scores, -np.inf))
        y = np.einsum("hqk,khd->qhd", p, v).reshape(n, -1)
        return self.linear(y, prefix + "o_proj")

    def mlp(self, x, prefix):
        activation = gelu_tanh if self.c.gelu else silu
        if self.c.fused:
            gate, up = np.split(self.linear(x, prefix + "gate_up_proj"), 2, axis=-1)
        else:
            gate, up = self.linear(x, prefix + "gate_proj"), self.linear(x, prefix + "up_proj")
        return self.linear(activation(gate) * up, prefix + "down_proj")

    def experts(self, x, prefix):
        """Each token's best experts by the router's softmax, whose shares are made to sum to 1. arXiv:2401.04088."""
        p = softmax(x @ self.w[prefix + "gate.weight"].T)
        y = np.zeros_like(x)
        for t in range(len(x)):
            best = np.argsort(-p[t], kind="stable")[:self.c.n_experts_used]
            share = p[t, best] / p[t, best].sum()
            for s, e in zip(share, best):
                y[t] += s * self.mlp(x[t], prefix + f"experts.{e}.")
        return y

    def layer(self, x, i, context):
        c, prefix = self.c, f"layers.{i}."
        y = self.attention(self.norm(x, prefix + "input_layernorm.weight"), i, context)
        if c.sandwich_norms:
            y = self.norm(y, prefix + "post_attention_layernorm.weight")
        x = x + y
        before = "pre_feedforward_layernorm" if c.sandwich_norms else "post_attention_layernorm"
        y = self.norm(x, prefix + before + ".weight")
        y = self.experts(y, prefix + "block_sparse_moe.") if c.n_experts else self.mlp(y, prefix + "mlp.")
        if c.sandwich_norms:
            y = self.norm(y, prefix + "post_feedforward_layernorm.weight")
        return x + y

    def log_probabilities(self, tokens, context):
        """[tokens, vocabulary] natural logarithms when `context` positions are in use (it chooses long-rope's table)."""
        x = self.w["embed_tokens.weight"][tokens]
        if self.c.scales_embedding:
            x = x * np.sqrt(self.c.d_model)
        for i in range(self.c.n_layers):
            x = self.layer(x, i, context)
        head = "embed_tokens.weight" if self.c.tied else "lm_head.weight"
        logits = self.norm(x, "norm.weight") @ self.w[head].T
        if self.c.logit_soft_cap:
            logits = self.c.logit_soft_cap * np.tanh(logits / self.c.logit_soft_cap)
        largest = logits.max(axis=-1, keepdims=True)
        return logits - largest - np.log(np.exp(logits - largest).sum(axis=-1, keepdims=True))
